# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: slapd; ldap-utils. Real: LDAP on 389 or any port, TCP. An entry is searched. (LDAP over UDP is
# for domain controllers only: the listener.)
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

# slapd with one entry. PARTY SCHEME
ldap_spawn()
{
	service_certificate "$address"
	service_conf slapd.conf
	if [ ! -d "$service_dir/db" ]; then
		mkdir "$service_dir/db"
		slapadd -q -f "$service_dir/slapd.conf" -l "$services_conf/slapd.ldif" 2>"$service_dir/slapadd"
	fi
	service_spawn "$1" slapd -d 0 -f "$service_dir/slapd.conf" -h "$2://$host:$port/"
	service_ready "$1" "tcp/$port"
}

# By name, for over TLS the library would send an address of IPv6 as the name, which servers refuse. PARTY SCHEME
ldap_search()
{
	local hosts
	hosts=$(service_directory "$2" "hosts-$address")
	mkdir -p "${hosts%/*}"
	echo "$address peer.test" >"$hosts"
	service_expect "an entry, found over ${2^^} on $port" 'sn: body' "$1" env "LDAPTLS_CACERT=$(service_tls "$address").pem" \
		sh -c 'mount --bind "$0" /etc/hosts && exec ldapsearch "$@"' "$hosts" \
		-x -LLL -o nettimeout=2 -H "$2://peer.test:$port" -b dc=lab,dc=test cn=somebody sn
}

serve_ldap()
{
	local service_name service_dir address host port
	service_begin ldap "$1" "$2" "$3" 389 || return 0
	ldap_spawn "$1" ldap
}

ask_ldap()
{
	local address host port protocol options
	service_question 389 "$@"
	ldap_search "$1" ldap
}
