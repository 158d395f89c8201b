# torture_oracle.awk -- what every window must say in the end, counted from the files of torture_stream.awk.
#   awk -f torture_oracle.awk -v horizon=HOURS -v task=NAME -v kind=tumbling|hopping|cumulative \
#       predictions.jsonl feedback.jsonl
# Prints task, window, group, start, end, predicted, labelled, right, true positives, predicted positives, positives.
# It shares nothing with the product. SPDX-License-Identifier: Apache-2.0

function text(name, at, rest) {
  at = index($0, "\"" name "\":\"")
  rest = substr($0, at + length(name) + 4)
  return substr(rest, 1, index(rest, "\"") - 1)
}
function number(name) { return substr($0, index($0, "\"" name "\":") + length(name) + 3) + 0 }

BEGIN { hour = 3600000; day = 24 * hour; skew = 60000 }

# Of several the first counts. What comes 8 h late does not.
FNR == NR {
  id = text("id")
  if (id ~ /^stale-/ || id in at) next
  at[id] = number("event_time")
  positive[id] = number("score") >= 0.5
  vendor[id] = text("vendor")
  payment[id] = substr($0, index($0, "\"groups\":"))
  sub(/.*"payment":"/, "", payment[id])
  sub(/".*/, "", payment[id])
  next
}

# Of several the last by label time counts, then the last to come.
{
  id = text("id")
  if (!(id in at)) next
  lag = number("label_time") - at[id]
  if (lag < -skew || lag > horizon * hour) next
  if (!(id in labelled_at) || number("label_time") >= labelled_at[id]) {
    labelled_at[id] = number("label_time")
    label[id] = number("label")
  }
}

function count(id, start, end, groups, i, key) {
  groups[1] = "all"
  groups[2] = "vendor=" vendor[id]
  groups[3] = "payment=" payment[id]
  for (i = 1; i <= 3; i++) {
    key = sprintf("%s\t%s\t%s\t%.0f\t%.0f", task, kind, groups[i], start, end)
    predicted[key]++
    if (!(id in label)) continue
    labelled[key]++
    right[key] += positive[id] == label[id]
    hits[key] += positive[id] && label[id]
    said[key] += positive[id]
    positives[key] += label[id]
  }
}

END {
  for (id in at) {
    first = at[id] - at[id] % hour
    if (kind == "tumbling") count(id, first, first + hour)
    if (kind == "hopping") {
      count(id, first - hour, first + hour)
      count(id, first, first + 2 * hour)
    }
    if (kind == "cumulative") {
      start = at[id] - at[id] % day
      for (end = first + hour; end <= start + day; end += hour) count(id, start, end)
    }
  }
  for (key in predicted)
    printf "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", key, predicted[key], labelled[key], right[key], hits[key], said[key],
      positives[key]
}
