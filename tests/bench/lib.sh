# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the lines of tests/bench/run share: starting the job, watching its figures, writing results.
# Sourced; needs build, work, results, brokers, topics (a prefix) and writes job_pid and the tables job and grown.
# shellcheck disable=SC2154

clock_ticks=$(getconf CLK_TCK)
job_pid='' job_url='' job_config=''

say() { printf 'bench: %s\n' "$*" >&2; }

# calculate EXPRESSION: with awk; an empty or absent number counts 0.
calculate() { awk "BEGIN { printf \"%.6g\", $* }"; }
# field KEY FILE: the number after KEY= in the first line that has it, or 0.
field() {
  local found
  found=$(sed -nE "s/.*(^| )$1=([-0-9.]+).*/\2/p" "$2" | head -n 1)
  echo "${found:-0}"
}
now() { date +%s.%N; }

# result NAME VALUE UNIT BESIDE RATIO BUDGET OK: one line of the table and of the JSON file.  BESIDE and RATIO
# may be empty; BUDGET is such as ">= 12" about the ratio, or the value when there is none, or empty.
result() {
  local name=$1 value=$2 unit=$3 beside=${4-} ratio=${5-} budget=${6-} ok=true
  if [[ -n $budget ]]; then
    awk "BEGIN { exit !(${ratio:-$value} $budget) }" || { ok=false; missed=$((missed + 1)); }
  fi
  printf '%-52s %12s %-14s %12s %9s %10s %s\n' "$name" "$value" "$unit" "${beside:--}" "${ratio:--}" "${budget:--}" \
    "$([[ $ok == true ]] && echo ok || echo MISSED)"
  printf '{"name":"%s","value":%s,"unit":"%s","beside":%s,"ratio":%s,"budget":%s,"ok":%s}\n' "$name" "$value" \
    "$unit" "${beside:-null}" "${ratio:-null}" "$([[ -n $budget ]] && echo "\"$budget\"" || echo null)" "$ok" >>"$results"
}

# make_config NAME TEMPLATE PREDICTIONS FEEDBACK SCHEMAS: and the internal topics with it.
make_config() {
  local folder=$work/$1
  mkdir -p "$folder/schemas"
  cp "$5"/*.avsc "$folder/schemas/"
  job_config=$folder/job.yaml
  sed -e '/^#/d' -e "s|APPLICATION|$topics-$1|" -e "s|BROKERS|$brokers|" -e "s|FOLDER|$folder|" \
    -e "s|PREDICTIONS|$3|" -e "s|FEEDBACK|$4|" "$here/$2" >"$job_config"
  "$build/slipstream" check "$job_config" --create-topics --quiet >"$folder/check.log" 2>&1 ||
    { cat "$folder/check.log" >&2; return 1; }
}

free_port() {
  local port
  for _ in {1..50}; do
    port=$((30000 + RANDOM % 2000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# start_job [NAME=VALUE]...: runs the job of job_config with these settings in the environment.
start_job() {
  local port
  port=$(free_port)
  job_url=http://127.0.0.1:$port
  env "$@" SLIPSTREAM_HTTP_BIND="127.0.0.1:$port" "$build/slipstream" run "$job_config" --instance bench \
    >>"${job_config%.yaml}.log" 2>&1 &
  job_pid=$!
}

stop_job() { # SIGNAL
  [[ -n $job_pid ]] || return 0
  kill -"${1:-TERM}" "$job_pid" 2>/dev/null || true
  wait "$job_pid" 2>/dev/null || true
  job_pid=''
}

# Sums of the families of /metrics into job[FAMILY]; those with a stage into job[FAMILY.STAGE].  And of the
# process: job[cpu] seconds, job[peak] bytes, job[written] bytes, job[at] when.
read_job() {
  local name value
  while read -r name value; do job[$name]=$value; done < <(
    curl -fs "$job_url/metrics" | awk '/^slipstream_/ {
      name = $1
      sub(/\{.*/, "", name)
      if (match($1, /stage="[a-z]*"/)) name = name "." substr($1, RSTART + 7, RLENGTH - 8)
      sum[name] += $2
    } END { for (name in sum) printf "%s %.0f\n", name, sum[name] }')
  job[at]=$(now)
  job[cpu]=$(awk -v hz="$clock_ticks" '{ print ($14 + $15) / hz }' "/proc/$job_pid/stat")
  job[peak]=$(awk '/^VmHWM/ { print $2 * 1024 }' "/proc/$job_pid/status")
  job[written]=$(awk '/^write_bytes/ { print $2 }' "/proc/$job_pid/io")
  ((${job[slipstream_partition_disk_bytes]:-0} <= ${job[disk]:-0})) || job[disk]=${job[slipstream_partition_disk_bytes]}
}

is_running() { kill -0 "$job_pid" 2>/dev/null || { say "the job ended: ${job_config%.yaml}.log"; return 1; }; }

# await_steady FAMILY SECONDS: until the family is above 0 and has not grown for so long; what it was when
# it last grew stays in job and in grown (cpu, at, peak).
await_steady() {
  local last=0 since=$SECONDS deadline=$((SECONDS + 1800)) key
  while ((SECONDS < deadline)); do
    sleep 0.1
    is_running || return 1
    read_job
    if ((${job[$1]:-0} > last)); then
      last=${job[$1]} since=$SECONDS
      for key in "${!job[@]}"; do grown[$key]=${job[$key]}; done
    fi
    ((last == 0 || SECONDS - since < $2)) || return 0
  done
  say "$1 is still growing after half an hour"
  return 1
}

# await_records COUNT: until the input is read so far.
await_records() {
  local deadline=$((SECONDS + 1800))
  while ((SECONDS < deadline)); do
    sleep 0.2
    is_running || return 1
    read_job
    ((${job[slipstream_worker_records_total.partition]:-0} < $1)) || return 0
  done
  say "only ${job[slipstream_worker_records_total.partition]:-0} of $1 records were read in half an hour"
  return 1
}

# await_ready: prints the seconds since STARTED (of now).
await_ready() {
  local deadline=$((SECONDS + 600))
  until curl -fs -o /dev/null "$job_url/readyz"; do
    is_running && ((SECONDS < deadline)) || return 1
    sleep 0.02
  done
  calculate "$(now) - $1"
}

# run_to_final NAME TEMPLATE PREDICTIONS FEEDBACK SCHEMAS RECORDS [NAME=VALUE]...: the whole job, start-up
# included; its SLIs go to SLIS of its folder, its figures to grown, with grown[wall].
run_to_final() {
  local name=$1 records=$6 started
  make_config "$1" "$2" "$3" "$4" "$5" || return 1
  job=() grown=()
  started=$(now)
  start_job "${@:7}"
  "$build/slipstream" close "$job_config" --at 2024-02-20 >"$work/$name/close.log" 2>&1 || { stop_job KILL; return 1; }
  if ! await_records "$records" || ! await_steady slipstream_task_finals_total 5; then
    stop_job KILL
    return 1
  fi
  grown[wall]=$(calculate "${grown[at]} - $started")
  stop_job
  "$build/slipstream" watch "$job_config" --format csv --group '' >"$work/$name/slis.csv"
}

# topic_bytes REGULAR_EXPRESSION: log bytes of the topics whose whole name fits.
topic_bytes() {
  find "$broker_data" -mindepth 2 -maxdepth 2 -name '*.log' -printf '%h %s\n' 2>/dev/null |
    awk -v name="^($1)-[0-9]+\$" '{ n = split($1, path, "/"); if (path[n] ~ name) sum += $2 } END { print sum + 0 }'
}
