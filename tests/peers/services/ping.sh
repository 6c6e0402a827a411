# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Package: iputils-ping. Real: ICMP and ICMPv6 echo. The kernel answers, so there is no server; a port of 0.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_ping() { :; }

ask_ping()
{
	local address host port protocol options
	service_question 0 "$@"
	service_expect 'an echo' '1 received' "$1" ping -n -c 1 -W 2 "$address"
}
