# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Package: openssl. Real TLS (1.2 and 1.3) on any port, TCP, for endpoints whose protocol within is their own.
# Option of the serve: tls1_2. The certificate is verified and a page read.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_tls()
{
	local service_name service_dir address host port words=()
	service_begin tls "$1" "$2" "$3" 443 || return 0
	service_certificate "$address"
	[ "${4:-}" != tls1_2 ] || words=(-tls1_2)
	service_spawn "$1" openssl s_server -quiet -www -accept "$host:$port" "${words[@]}" \
		-key "$(service_tls "$address").key" -cert "$(service_tls "$address").pem"
	service_ready "$1" "tcp/$port"
}

ask_tls()
{
	local address host port protocol options
	service_question 443 "$@"
	service_expect "a page over TLS on $port" 'Cipher is' "$1" sh -c 'printf "GET / HTTP/1.0\r\n\r\n" |
		openssl s_client -ign_eof -verify_return_error -CAfile "$0" -connect "$1"' "$(service_tls "$address").pem" "$host:$port"
}
