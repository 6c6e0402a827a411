# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: nats-server; python3-minimal and curl (Debian 12 has no client of NATS). Real: clients on 4222, the
# cluster's routes on 6222, monitoring on 8222, TCP. Option route=ADDRESS of the serve: a node of that one's
# cluster. On 4222 a message is published and received, on 6222 a second server joins the cluster for a
# moment, on 8222 the state is read.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_nats()
{
	local service_name service_dir address host port words=()
	# One server has all three ports.
	service_begin nats "$1" "$2" - 4222 || return 0
	[[ ${4:-} != route=* ]] || words=(--routes "nats://${4#*=}:6222")
	service_spawn "$1" nats-server -a "$address" -p "$port" -m 8222 --cluster_name lab --cluster "nats://$host:6222" "${words[@]}"
	service_ready "$1" "tcp/$port" tcp/6222 tcp/8222
}

# A node that has no other peers and exits once it is registered. PARTY
nats_join()
{
	service_expect 'a node, joined to the cluster' 'Registering remote route' "$1" bash -c '
		exec 3< <(exec nats-server -a 127.0.0.1 -p -1 -D --cluster_name lab --cluster nats://127.0.0.1:-1 --routes "$0" 2>&1)
		sed "/Registering remote route/q" <&3
		kill $!; wait $!; :' "nats://$host:$port"
}

ask_nats()
{
	local address host port protocol options
	service_question 4222 "$@"
	case $port in
	6222) nats_join "$1" ;;
	8222) service_expect 'the state of the server' '"server_id"' "$1" curl -gsS --noproxy '*' "http://$host:8222/varz" ;;
	*) service_expect 'a message, published and received' 'MSG lab 1 5.hello' "$1" "$services_conf/nats-client" "$address" "$port" ;;
	esac
}
