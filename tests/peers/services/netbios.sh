# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: samba (nmbd); samba-common-bin (nmblookup). Real: NetBIOS names on 137 UDP; nmbd has 138 too, which
# nothing asks: datagrams have no answer, a listener on 138 has. IPv4 alone, as NetBIOS is. The server also
# sends to the subnet's broadcast address by itself. A name is asked for.
. "$(dirname "${BASH_SOURCE[0]}")/smb.sh"

serve_netbios()
{
	local service_name service_dir address host port
	service_begin netbios "$1" "$2" - 137 || return 0
	smb_conf '445 139' no
	service_spawn "$1" nmbd --foreground --no-process-group -s "$service_dir/smb.conf" --debug-stdout
	service_ready "$1" udp/137 udp/138
}

ask_netbios()
{
	local address host port protocol options service_protocol=udp
	service_question 137 "$@"
	service_expect 'a NetBIOS name' "$address FRLAB<00>" "$1" nmblookup -s "$(smb_client "$1")" -U "$address" FRLAB
}
