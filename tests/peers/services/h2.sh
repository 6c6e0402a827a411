# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: nghttp2-server, openssl; nghttp2-client. Real: HTTP/2, which gRPC rides on, over TLS on 443 or any
# port, TCP; option clear of both: without TLS.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_h2()
{
	local service_name service_dir address host port words=()
	service_begin h2 "$1" "$2" "$3" 443 || return 0
	service_certificate "$address"
	echo 'hello over a stream' >"$service_dir/hello"
	words=("$port" "$(service_tls "$address").key" "$(service_tls "$address").pem")
	[ "${4:-}" != clear ] || words=(--no-tls "$port")
	service_spawn "$1" nghttpd -n1 -a "$address" -d "$service_dir" "${words[@]}"
	service_ready "$1" "tcp/$port"
}

ask_h2()
{
	local address host port protocol options scheme=https
	service_question 443 "$@"
	[[ $options != *' clear '* ]] || scheme=http
	service_expect "a stream of HTTP/2 on $port" 'hello over a stream' "$1" nghttp -y "$scheme://$host:$port/hello"
}
