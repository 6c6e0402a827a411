# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: snmpd; snmp. Real: an SNMP agent on 161 or any port, UDP. A variable is read.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

# The address as net-snmp writes it: PORT
snmp_address()
{
	[[ $address == *:* ]] && echo "udp6:[$address]:$1" || echo "udp:$address:$1"
}

serve_snmp()
{
	local service_name service_dir address host port
	service_begin snmp "$1" "$2" "$3" 161 || return 0
	printf '%s\n' "agentaddress $(snmp_address "$port")" 'rocommunity public' 'rocommunity6 public' \
		'sysLocation a rack of the lab' 'master no' >"$service_dir/snmpd.conf"
	service_spawn "$1" env MIBS= "SNMP_PERSISTENT_DIR=$service_dir" snmpd -f -Lo -C -c "$service_dir/snmpd.conf" -p "$service_dir/pid"
	service_ready "$1" "udp/$port"
}

ask_snmp()
{
	local address host port protocol options service_protocol=udp
	service_question 161 "$@"
	service_expect 'a variable, read over SNMP' 'a rack of the lab' "$1" env MIBS= "SNMP_PERSISTENT_DIR=$LAB_DIR/peers/snmp" \
		snmpget -v2c -c public -t 1 -r 1 "$(snmp_address "$port")" 1.3.6.1.2.1.1.6.0
}
