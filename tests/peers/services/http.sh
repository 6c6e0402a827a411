# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: nginx-light; curl. Real: HTTP 1.1 on 80 or any port, TCP.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

# KIND CERTIFICATE-LINES: nginx on the address and port. PARTY
http_spawn()
{
	service_conf nginx.conf "KIND=$2" "CERTIFICATE=$3"
	service_spawn "$1" nginx -e "$service_dir/error.log" -c "$service_dir/nginx.conf"
	service_ready "$1" "tcp/$port"
}

serve_http()
{
	local service_name service_dir address host port
	service_begin http "$1" "$2" "$3" 80 || return 0
	http_spawn "$1" '' ''
}

ask_http()
{
	local address host port protocol options
	service_question 80 "$@"
	service_expect "a page over HTTP on $port" "lab http $port" "$1" curl -gsS --noproxy '*' "http://$host:$port/"
}
