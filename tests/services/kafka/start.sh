#!/bin/bash
# start.sh PORT DATA [CONTROLLER_PORT]: starts a one-node Apache Kafka on 127.0.0.1:PORT with its data in the folder DATA
# and returns when it serves requests. The same DATA again = the same broker restarted. Writes DATA/pid and DATA/broker.log.
#   KAFKA_HEAP      heap of the broker (default 384m)
#   KAFKA_SASL_PORT a second listener that wants a login: SASL_PLAINTEXT, PLAIN, user "sluice", password "open"
#   KAFKA_TLS_PORT  a listener that speaks TLS, with the key (PKCS #8) and certificate of the PEM file KAFKA_TLS_KEYS
#   start.sh --jars only downloads the jars.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
libs=${SLUICE_KAFKA_LIBS:-$here/../../../.deps/kafka/libs}

fetch_jars() {
  mkdir -p "$libs"
  exec 8>"$libs/../.lock"
  flock 8
  if [ ! -f "$libs/.complete" ] || [ "$here/pom.xml" -nt "$libs/.complete" ]; then
    local try done=""
    rm -f "$libs"/*.jar "$libs/.complete"
    for try in 1 2 3 4; do
      # -C: a jar that does not match the digest that Maven Central publishes is refused.
      if mvn -q -B -C -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$(realpath "$libs")" >&2; then
        done=1
        break
      fi
      echo "start.sh: download of the Kafka jars failed (attempt $try)" >&2
      sleep $((try * 2))
    done
    [ -n "$done" ] || { echo "start.sh: cannot download the Kafka jars" >&2; exit 1; }
    touch "$libs/.complete"
  fi
  flock -u 8
  exec 8>&-
}

fetch_jars
[ "${1:-}" = --jars ] && exit 0
[ $# -ge 2 ] || { sed -n 2,8p "$0" >&2; exit 2; }
port=$1
mkdir -p "$2"
data=$(realpath "$2")
controller=${3:-$((port + 1))}
if [ -f "$data/pid" ] && kill -0 "$(cat "$data/pid")" 2>/dev/null; then
  echo "start.sh: a broker already runs on $data" >&2
  exit 1
fi
more=${KAFKA_SASL_PORT:+,SASL_PLAINTEXT://127.0.0.1:$KAFKA_SASL_PORT}${KAFKA_TLS_PORT:+,SSL://127.0.0.1:$KAFKA_TLS_PORT}
sed -e "s|@PORT@|$port|g; s|@CONTROLLER_PORT@|$controller|g; s|@DATA@|$data|g; s|@MORE@|$more|g" \
  -e "s|@TLS_KEYS@|${KAFKA_TLS_KEYS:-}|g" "$here/server.properties" >"$data/server.properties"
[ -n "${KAFKA_TLS_PORT:-}" ] || sed -i '/^ssl\./d' "$data/server.properties"
java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=4 -Xshare:auto -Dorg.slf4j.simpleLogger.showDateTime=true -cp "$libs/*")
if [ ! -f "$data/logs/meta.properties" ]; then
  "${java[@]}" -Xmx128m kafka.tools.StorageTool format -t "$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d =)" \
    -c "$data/server.properties" >"$data/format.log" 2>&1 || { tail -n 20 "$data/format.log" >&2; exit 1; }
fi
: >"$data/broker.log"
setsid nohup "${java[@]}" -Xmx"${KAFKA_HEAP:-384m}" kafka.Kafka "$data/server.properties" >>"$data/broker.log" 2>&1 </dev/null &
pid=$!
echo "$pid" >"$data/pid"
for _ in $(seq 1200); do
  kill -0 "$pid" 2>/dev/null || { tail -n 20 "$data/broker.log" >&2; rm -f "$data/pid"; exit 1; }
  if grep -q "Kafka Server started" "$data/broker.log" && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "127.0.0.1:$port"
    exit 0
  fi
  sleep 0.1
done
echo "start.sh: the broker did not start within two minutes" >&2
tail -n 20 "$data/broker.log" >&2
kill -s KILL "$pid"
rm -f "$data/pid"
exit 1
