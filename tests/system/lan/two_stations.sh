# Two stations on one Ethernet, each a network namespace: avahi here at 10.11.0.1, and "$@" serves at 10.11.0.2 until
# standard input ends. Then `ask` (the first argument) is run here. To be started by: unshare --net --mount sh ...
set -eu
ask=$1 serve=$2 folder=$(mktemp -d)
there() { nsenter --net --target "$other" -- "$@"; }

ip link set lo up
ip link add lan0 type veth peer name lan1
ip addr add 10.11.0.1/24 brd + dev lan0
ip link set lan0 up
unshare --net sleep 60 >/dev/null 2>&1 &
other=$!
started=$other
trap 'kill $started 2>/dev/null || true; rm -rf "$folder"' EXIT
until [ "$(readlink "/proc/$other/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link set lan1 netns "$other"
there ip link set lo up
there ip addr add 10.11.0.2/24 brd + dev lan1
there ip link set lan1 up

mkdir -p /run/avahi-daemon
mount -t tmpfs none /run/avahi-daemon # the machine may have an avahi of its own
cat >"$folder/bus.conf" <<END
<busconfig>
  <type>session</type>
  <listen>unix:path=$folder/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
END
dbus-daemon --config-file="$folder/bus.conf" --nofork --nopidfile >/dev/null 2>&1 &
started="$started $!"
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$folder/bus"
until [ -S "$folder/bus" ]; do sleep 0.05; done
printf '[server]\nuse-ipv6=no\nallow-interfaces=lan0\n[publish]\ndisable-publishing=yes\n' >"$folder/avahi.conf"
avahi-daemon --no-drop-root --no-chroot --no-rlimits --file "$folder/avahi.conf" >/dev/null 2>&1 &
started="$started $!"

mkfifo "$folder/stdin"
nsenter --net --target "$other" -- sh -c "$serve" <"$folder/stdin" >"$folder/ready" 2>"$folder/errors" &
server=$!
started="$started $server"
exec 9>"$folder/stdin"
until [ -s "$folder/ready" ]; do
  sleep 0.05
  kill -0 $server || { cat "$folder/errors" >&2; exit 1; }
done
sh -c "$ask"
