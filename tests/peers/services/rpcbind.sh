# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Package: rpcbind (rpcinfo too). Real: the portmapper alone, 111 on TCP and UDP. It binds the address and,
# as always, loopback. Its list is read over TCP, a call is answered over UDP.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_rpcbind()
{
	local service_name service_dir address host port
	service_begin rpcbind "$1" "$2" "$3" 111 || return 0
	service_spawn_private "$1" rpcbind -f -w -h "$address"
	service_ready "$1" tcp/111 udp/111
}

ask_rpcbind()
{
	local address host port protocol options netid
	service_question 111 "$@"
	netid=$protocol
	[[ $address != *:* ]] || netid+=6
	service_expect "the portmapper answered on 111/$protocol" 'ready and waiting' "$1" \
		rpcinfo -a "$address.0.111" -T "$netid" 100000 2
}
