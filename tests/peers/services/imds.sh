# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: python3-minimal; curl. A stand-in, for there is no such server outside of a cloud: the metadata
# service's conversation in its second version (a token, then a fact) on 80 or any port, TCP.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_imds()
{
	local service_name service_dir address host port
	service_begin imds "$1" "$2" "$3" 80 || return 0
	service_spawn "$1" "$services_conf/imds" "$address" "$port"
	service_ready "$1" "tcp/$port"
}

ask_imds()
{
	local address host port protocol options
	service_question 80 "$@"
	service_expect 'the region, by a token' '^us-east-2$' "$1" sh -c 'token=$(curl -gsSf --noproxy "*" -X PUT "$0/api/token" \
		-H "X-aws-ec2-metadata-token-ttl-seconds: 60") && curl -gsSf --noproxy "*" -H "X-aws-ec2-metadata-token: $token" \
		"$0/meta-data/placement/region"' "http://$host:$port/latest"
}
