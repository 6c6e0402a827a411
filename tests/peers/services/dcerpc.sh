# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: samba-common-bin; smbclient (rpcclient). Real: Microsoft's RPC, with the endpoint mapper on 135 and
# the services it names on the first ports of 49152-65535 (option FIRST-LAST of the serve: another range), TCP.
# The mapper is asked where a service is; option call: and the service then answers on its dynamic port.
. "$(dirname "${BASH_SOURCE[0]}")/smb.sh"

serve_dcerpc()
{
	local service_name service_dir address host port range first
	service_begin dcerpc "$1" "$2" "$3" 135 || return 0
	range=$(service_range 49152-65535 "${@:4}")
	smb_conf '445 139' no "$range"
	first=${range%-*}
	service_spawn "$1" /usr/libexec/samba/samba-dcerpcd --foreground --no-process-group --libexec-rpcds \
		-s "$service_dir/smb.conf" --debug-stdout
	# One port for each program that has services on TCP: the registry, accounts, the server itself.
	service_ready "$1" tcp/135 "tcp/$first" "tcp/$((first + 1))" "tcp/$((first + 2))"
}

ask_dcerpc()
{
	local address host port protocol options words binding
	service_question 135 "$@"
	words=(rpcclient -s "$(smb_client "$1")" -U%) binding="ncacn_ip_tcp:$address"
	if [[ $options == *' call '* ]]; then
		service_expect 'a call of the service that the mapper named' 'FRLAB.*platform_id' "$1" "${words[@]}" "$binding" -c srvinfo
		return
	fi
	service_expect 'where a service is, by the endpoint mapper' 'ncacn_ip_tcp:.*: winreg' "$1" "${words[@]}" "${binding}[135]" -c epmlookup
}
