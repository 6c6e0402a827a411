# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: krb5-kdc; krb5-user. Real: Kerberos on 88 or any port, TCP and UDP. A ticket is got. The client
# would try the other protocol when one fails, so which one answered is read from its trace.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_kerberos()
{
	local service_name service_dir address host port
	local -x KRB5_CONFIG KRB5_KDC_PROFILE
	service_begin kerberos "$1" "$2" "$3" 88 || return 0
	service_conf kdc.conf
	service_conf krb5.conf LIMIT=1
	KRB5_CONFIG=$service_dir/krb5.conf KRB5_KDC_PROFILE=$service_dir/kdc.conf
	if [ ! -e "$service_dir/stash" ]; then
		{
			kdb5_util create -s -r LAB.TEST -P master
			kadmin.local -q 'addprinc -pw secret user'
		} >"$service_dir/create" 2>&1
	fi
	service_spawn "$1" krb5kdc -n -P "$service_dir/pid"
	service_ready "$1" "tcp/$port" "udp/$port"
}

ask_kerberos()
{
	local address host port protocol options service_dir limit=1 socket=stream
	service_question 88 "$@"
	[ "$protocol" = tcp ] || limit=100000 socket=dgram
	service_dir=$(service_directory kerberos "$1-asks-$protocol-$address-$port")
	mkdir -p "$service_dir"
	service_conf krb5.conf "LIMIT=$limit"
	service_expect "a ticket over $protocol" "Received answer \([0-9]+ bytes\) from $socket.*krbtgt/LAB.TEST@LAB.TEST" "$1" \
		env "KRB5_CONFIG=$service_dir/krb5.conf" "KRB5CCNAME=FILE:$service_dir/cache" KRB5_TRACE=/dev/stdout \
		sh -c 'echo secret | kinit user && exec klist'
}
