#!/usr/bin/env bash
# One node of Apache Kafka (KRaft) for tests and measurements: its jars come by Maven, its ports are chosen by the system.
#   kafka.sh start     fetches the jars the first time, starts the broker, prints host:port when it answers
#   kafka.sh stop      stops it; its data stay
#   kafka.sh run       is the broker, in the foreground, until SIGTERM
#   kafka.sh fetch     only fetches the jars
#   kafka.sh address   prints host:port of the one that runs; fails when none does
#   kafka.sh tool CLASS ARGUMENT …   one of Kafka's own tools, as in `tool org.apache.kafka.tools.TopicCommand --help`
# Everything is in run/kafka of the checkout, or in the folder that KAFKA_RUN names; KAFKA_LIB: a folder with the jars;
# KAFKA_HEAP: the broker's memory (512m); KAFKA_SETTINGS: lines to add to server.properties; KAFKA_PORTS: "port control",
# instead of free ones: who is started again has to be where its clients look for it.
# Needs Java 17, Maven (the first time) and kcat.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
run=${KAFKA_RUN:-$here/../../../run/kafka}
mkdir -p "$run"
run=$(cd "$run" && pwd)
lib=${KAFKA_LIB:-$run/lib}
start_seconds=60

fail() { echo "kafka.sh: $*" >&2; exit 1; }
alive() { [ -f "$run/pid" ] && kill -0 "$(cat "$run/pid")" 2>/dev/null; }

fetch() {
  [ -f "$lib/.complete" ] && return
  [ -n "${KAFKA_LIB:-}" ] && [ -n "$(ls "$lib"/kafka_*.jar 2>/dev/null)" ] && return
  command -v mvn >/dev/null || fail "Maven is needed to fetch Kafka's jars: apt-get install maven"
  echo "kafka.sh: fetching Apache Kafka (54 MB, once)" >&2
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$lib" >&2
  touch "$lib/.complete"
}

free_ports() {
  python3 -c 'import socket
s = [socket.socket() for _ in range(2)]
for one in s: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in s))'
}

configure() {
  local port control
  read -r port control < <(if [ -n "${KAFKA_PORTS:-}" ]; then echo "$KAFKA_PORTS"; else free_ports; fi)
  cat > "$run/server.properties" <<P
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$control
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:$control
log.dirs=$run/data
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=50
group.min.session.timeout.ms=1000
${KAFKA_SETTINGS:-}
P
  echo "127.0.0.1:$port" > "$run/address"
}

format() {
  [ -f "$run/data/meta.properties" ] && return
  local id
  id=$(java -cp "$lib/*" kafka.tools.StorageTool random-uuid 2>/dev/null | tail -1)
  java -cp "$lib/*" kafka.tools.StorageTool format --standalone -t "$id" -c "$run/server.properties" > "$run/format.log" 2>&1 ||
    fail "the storage could not be formatted: see $run/format.log"
}

run() {
  command -v java >/dev/null || fail "Java 17 is needed: apt-get install default-jre-headless"
  fetch
  configure
  format
  local heap=${KAFKA_HEAP:-512m}
  echo $$ > "$run/pid"
  exec java "-Xmx$heap" "-Xms$heap" -XX:+UseG1GC -cp "$lib/*" kafka.Kafka "$run/server.properties"
}

start() {
  alive && fail "it runs already ($(cat "$run/address"))"
  fetch
  rm -f "$run/address"
  setsid "$here/kafka.sh" run > "$run/broker.log" 2>&1 < /dev/null &
  echo $! > "$run/pid"
  for _ in $(seq $((start_seconds * 4))); do
    alive || { tail -20 "$run/broker.log" >&2; fail "it ended: see $run/broker.log"; }
    if [ -s "$run/address" ] && timeout 2 kcat -b "$(cat "$run/address")" -L >/dev/null 2>&1; then
      cat "$run/address"
      return
    fi
    sleep 0.25
  done
  stop
  fail "no answer in $start_seconds s: see $run/broker.log"
}

stop() {
  if alive; then
    local pid
    pid=$(cat "$run/pid")
    kill "$pid"
    for _ in $(seq 80); do kill -0 "$pid" 2>/dev/null || break; sleep 0.25; done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$run/pid" "$run/address"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  run) run ;;
  fetch) fetch ;;
  address) alive && cat "$run/address" || fail "it does not run" ;;
  tool) shift; fetch; exec java -cp "$lib/*" "$@" ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
