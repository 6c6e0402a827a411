# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: inetutils-telnetd, socat (its super-server); inetutils-telnet. Real: telnet on 23 or any port, TCP.
# The output of the server's program is read.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_telnet()
{
	local service_name service_dir address host port family=4
	service_begin telnet "$1" "$2" "$3" 23 || return 0
	[[ $address != *:* ]] || family=6
	service_spawn "$1" socat "TCP$family-LISTEN:$port,bind=$host,reuseaddr,fork" "EXEC:$services_conf/telnet-session"
	service_ready "$1" "tcp/$port"
}

ask_telnet()
{
	local address host port protocol options
	service_question 23 "$@"
	# The client would go when its input ends: it has one word, once the greeting is there, which ends the session.
	service_expect 'a greeting over telnet' 'hello from the console' "$1" bash -c 'coproc telnet "$@" 2>&1
		while read -r line; do
			echo "$line"
			case $line in *hello*) echo thanks >&"${COPROC[1]}" ;; esac
		done <&"${COPROC[0]}"' telnet "$address" "$port"
}
