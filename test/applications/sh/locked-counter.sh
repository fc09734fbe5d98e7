#!/bin/sh
# Counts under a lock that is made of etcdctl's commands.
#
#     locked-counter.sh ETCDCTL ENDPOINTS ID
#
# Prints "counted N" for each number written. SIGTERM ends it.
set -u
etcdctl=$1 endpoints=$2 id=$3 stop=
trap 'stop=1' TERM

run() {
  "$etcdctl" --endpoints "$endpoints" "$@"
}

# A mk whose response was lost is repeated by etcdctl, and then finds its own key.
owns_lock() {
  [ "$(run get /counter/lock 2>/dev/null)" = "$id" ]
}

until [ -n "$stop" ]; do
  run mk --ttl 20 /counter/lock "$id" >/dev/null 2>&1 || owns_lock || continue
  run ls -r /counter 2>/dev/null | grep -qx /counter/number || continue
  number=$(run get /counter/number 2>/dev/null) || continue
  number=$((number + 1))
  # On a busy machine, a set can be applied and time out.
  until run set /counter/number "$number" >/dev/null 2>&1; do :; done
  echo "counted $number"
  run rm --with-value "$id" /counter/lock >/dev/null 2>&1
done
