# SPDX-License-Identifier: Apache-2.0
# Compares SLIs with the windows that the generator expects.
#
#   awk -f compare.awk -v prefix=group= EXPECTED SLIS
#
# EXPECTED: group,window start ms,tp,fp,tn,fn[,predicted].  SLIS: slipstream watch --format csv --group "".
# Prints the windows that are right (all values within 1e-9, and FINAL) and those that are expected, "all"
# included; the first wrong ones go to standard error.

BEGIN { FS = ","; split("accuracy precision recall specificity", checked, " ") }

function add(key, i) {
  if (!(key in tp)) { keys[++expected] = key; has_predicted[key] = NF >= 7 }
  tp[key] += $3; fp[key] += $4; tn[key] += $5; fn[key] += $6; predicted[key] += $7
}

FNR == NR {
  start = strftime("%Y-%m-%dT%H:%M:%SZ", $2 / 1000, 1)
  add(prefix $1 "," start)
  add("all," start)
  next
}

FNR > 1 {
  gsub(/"/, "")
  key = $3 "," $5
  got[$2, key] = $8; status[$2, key] = $7; got_predicted[$2, key] = $13; got_labelled[$2, key] = $14
}

function ratio(over, under) { return under > 0 ? over / under : "" }

function wanted(metric, key) {
  if (metric == "accuracy") return ratio(tp[key] + tn[key], tp[key] + tn[key] + fp[key] + fn[key])
  if (metric == "precision") return ratio(tp[key], tp[key] + fp[key])
  if (metric == "recall") return ratio(tp[key], tp[key] + fn[key])
  return ratio(tn[key], tn[key] + fp[key])
}

# A value is null exactly when its denominator is 0.
function is_near(a, b) {
  if (a == "" || b == "") return a "" == b ""
  return a - b <= 1e-9 && b - a <= 1e-9
}

function is_right(key, metric, i) {
  for (i in checked) {
    metric = checked[i]
    if (!((metric, key) in got) || status[metric, key] != "FINAL") return 0
    if (!is_near(got[metric, key], wanted(metric, key))) return 0
    if (got_labelled[metric, key] != tp[key] + fp[key] + tn[key] + fn[key]) return 0
    if (has_predicted[key] && got_predicted[metric, key] != predicted[key]) return 0
  }
  return 1
}

END {
  for (i = 1; i <= expected; i++) {
    key = keys[i]
    if (is_right(key)) right++
    else if (wrong++ < 3)
      printf "wrong: %s: accuracy %s (%s, labelled %s, predicted %s), expected %s (%d, %d)\n", key,
        got["accuracy", key], status["accuracy", key], got_labelled["accuracy", key],
        got_predicted["accuracy", key], wanted("accuracy", key), tp[key] + fp[key] + tn[key] + fn[key],
        predicted[key] >"/dev/stderr"
  }
  print right + 0, expected + 0
}
