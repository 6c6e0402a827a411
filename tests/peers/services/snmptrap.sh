# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: snmptrapd; snmp. Real: a receiver of SNMP traps on 162 or any port, UDP. An inform is sent, which
# the receiver confirms; option trap: a trap, which only the receiver's log shows.
. "$(dirname "${BASH_SOURCE[0]}")/snmp.sh"

serve_snmptrap()
{
	local service_name service_dir address host port
	service_begin snmptrap "$1" "$2" "$3" 162 || return 0
	printf '%s\n' "snmpTrapdAddr $(snmp_address "$port")" 'disableAuthorization yes' >"$service_dir/snmptrapd.conf"
	service_spawn "$1" env MIBS= "SNMP_PERSISTENT_DIR=$service_dir" stdbuf -oL snmptrapd -n -f -Lo -C -c "$service_dir/snmptrapd.conf" \
		-p "$service_dir/pid"
	service_ready "$1" "udp/$port"
}

# A trap with a number of its own, until a receiver's log has it. PARTY
snmptrap_send()
{
	local number=$((RANDOM * 32768 + RANDOM)) i
	service_client "$1" env MIBS= "SNMP_PERSISTENT_DIR=$LAB_DIR/peers/snmptrap" snmptrap -v2c -c public "$(snmp_address "$port")" \
		'' 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1 i "$number" >&2 || return
	for ((i = 0; i < 20; i++)); do
		grep -qs "INTEGER: $number" "$LAB_DIR"/log/snmptrap-* && echo 'a trap, received' && return
		sleep 0.05
	done
	echo 'no receiver has the trap' >&2
	return 1
}

ask_snmptrap()
{
	local address host port protocol options service_protocol=udp
	service_question 162 "$@"
	if [[ $options == *' trap '* ]]; then
		snmptrap_send "$1"
		return
	fi
	service_expect 'an inform, confirmed' '' "$1" env MIBS= "SNMP_PERSISTENT_DIR=$LAB_DIR/peers/snmptrap" \
		snmpinform -v2c -c public -t 1 -r 1 "$(snmp_address "$port")" '' 1.3.6.1.6.3.1.1.5.4
}
