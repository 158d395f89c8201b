# torture_stream.awk -- makes life hard: from what `slipstream generate` writes, a stream with records that come
# twice, too late, before their prediction, corrected, or for nobody. Prints ARRIVAL<tab>RECORD; sort by ARRIVAL.
#   -v what=predictions    a copy with another score, minutes later (the first counts); records 8 h behind (LATE)
#   -v what=feedback       corrections; corrections that are older than what they would correct; labels 30 s before
#                          their prediction; labels of unknown predictions
# SPDX-License-Identifier: Apache-2.0

function number(name, at) {
  at = index($0, "\"" name "\":")
  return substr($0, at + length(name) + 3) + 0
}

function with(name, value, at, rest) {
  at = index($0, "\"" name "\":") + length(name) + 3
  rest = substr($0, at)
  sub(/^"?[^,"}]*"?/, "", rest)
  return substr($0, 1, at - 1) value rest
}

function put(arrival, record) { printf "%.0f\t%s\n", arrival, record }

what == "predictions" {
  time = number("event_time")
  put(time, $0)
  if (NR % 37 == 0) put(time + 1000 * (NR % 400), with("score", sprintf("%.6f", 1 - number("score"))))
  if (NR % 503 == 0 && NR > 4000) {
    $0 = with("id", "\"stale-" NR "\"")
    put(time, with("event_time", sprintf("%.0f", time - 8 * 3600000)))
  }
}

what == "feedback" {
  time = number("label_time")
  other = 1 - number("label")
  if (NR % 97 == 0) {
    time = number("prediction_time") - 30000
    $0 = with("label_time", sprintf("%.0f", time))
  }
  put(time, $0)
  if (NR % 41 == 0) {
    record = $0
    $0 = with("label", other)
    put(time + 1000 * (NR % 900), with("label_time", sprintf("%.0f", time + 1000 * (NR % 900))))
    $0 = record
  }
  if (NR % 53 == 0) {
    record = $0
    $0 = with("label", other)
    put(time + 500000, with("label_time", sprintf("%.0f", time - 20000)))
    $0 = record
  }
  if (NR % 211 == 0) put(time, with("id", "\"ghost-" NR "\""))
}
