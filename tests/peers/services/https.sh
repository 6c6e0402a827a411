# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: nginx-light, openssl; curl. Real: HTTPS (TLS 1.2 and 1.3) on 443 or any port, TCP. Option of the
# ask: sigv4, an upload signed as to an S3 bucket.
. "$(dirname "${BASH_SOURCE[0]}")/http.sh"

serve_https()
{
	local service_name service_dir address host port tls
	service_begin https "$1" "$2" "$3" 443 || return 0
	service_certificate "$address"
	tls=$(service_tls "$address")
	http_spawn "$1" ssl "ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate $tls.pem; ssl_certificate_key $tls.key;"
}

ask_https()
{
	local address host port protocol options fits='' words=()
	service_question 443 "$@"
	if [[ $options == *' sigv4 '* ]]; then
		words=(--aws-sigv4 aws:amz:us-east-2:s3 --user LAB:SECRET -X PUT --data hello)
		fits=' signed PUT'
	fi
	service_expect "a page over HTTPS on $port${fits:+, a signed upload}" "lab https $port$fits" "$1" curl -gsS --noproxy '*' \
		"${words[@]}" --cacert "$(service_tls "$address").pem" "https://$host:$port/bucket/key"
}
