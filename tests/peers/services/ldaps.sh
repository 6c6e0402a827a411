# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: slapd, openssl; ldap-utils. Real: LDAP over TLS on 636 or any port, TCP. An entry is searched, the
# certificate verified.
. "$(dirname "${BASH_SOURCE[0]}")/ldap.sh"

serve_ldaps()
{
	local service_name service_dir address host port
	service_begin ldaps "$1" "$2" "$3" 636 || return 0
	ldap_spawn "$1" ldaps
}

ask_ldaps()
{
	local address host port protocol options
	service_question 636 "$@"
	ldap_search "$1" ldaps
}
