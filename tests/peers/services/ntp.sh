# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Package: chrony. Real: NTP on 123 UDP; the server claims a stratum and sets no clock, the client asks once
# and sets none either.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_ntp()
{
	local service_name service_dir address host port
	service_begin ntp "$1" "$2" "$3" 123 || return 0
	printf '%s\n' 'local stratum 8' 'allow all' "port $port" "bindaddress $address" 'cmdport 0' 'bindcmdaddress /' \
		"pidfile $service_dir/pid" "driftfile $service_dir/drift" >"$service_dir/chrony.conf"
	service_spawn "$1" chronyd -d -x -u root -f "$service_dir/chrony.conf"
	service_ready "$1" "udp/$port"
}

ask_ntp()
{
	local address host port protocol options
	service_question 123 "$@"
	service_expect 'the time, from a clock of stratum 8' 'System clock wrong by' "$1" chronyd -Q -t 2 -f /dev/null \
		-u root "server $address port $port iburst maxsamples 1" 'cmdport 0' "pidfile $LAB_DIR/peers/ntp/asking-$BASHPID"
}
