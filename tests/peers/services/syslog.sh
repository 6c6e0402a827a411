# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: rsyslog; bsdutils (logger). Real: syslog on 514 or any port, TCP and UDP. A message of its own is
# sent, until the receiver has written it down.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_syslog()
{
	local service_name service_dir address host port
	service_begin syslog "$1" "$2" "$3" 514 || return 0
	printf '%s\n' 'module(load="imtcp")' 'module(load="imudp")' "input(type=\"imtcp\" address=\"$address\" port=\"$port\")" \
		"input(type=\"imudp\" address=\"$address\" port=\"$port\")" "global(workDirectory=\"$service_dir\")" \
		"*.* action(type=\"omfile\" file=\"$service_dir/messages\")" >"$service_dir/rsyslog.conf"
	service_spawn "$1" "${lab_offline[@]}" rsyslogd -n -x -i NONE -f "$service_dir/rsyslog.conf"
	service_ready "$1" "tcp/$port" "udp/$port"
}

ask_syslog()
{
	local address host port protocol options message="lab-$BASHPID-$RANDOM$RANDOM" i
	service_question 514 "$@"
	service_client "$1" logger -n "$address" -P "$port" "--$protocol" -t lab "$message" >&2 || return
	for ((i = 0; i < 8; i++)); do
		grep -qs "$message" "$LAB_DIR"/peers/syslog/*/messages && echo "a message, written down, over $protocol" && return
		sleep 0.05
	done
	echo 'no receiver has the message' >&2
	return 1
}
