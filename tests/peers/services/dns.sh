# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: dnsmasq-base; bind9-dnsutils. Real: DNS on 53 (or any port), UDP and TCP. It answers for
# peer.test, and for each option NAME=ADDRESS of the serve. Option of the ask: truncated, an answer too long
# for a datagram, so that the client repeats it over TCP by itself.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_dns()
{
	local service_name service_dir address host port words=() pair long
	service_begin dns "$1" "$2" "$3" 53 || return 0
	for pair in peer.test=192.0.2.7 peer.test=2001:db8::7 "${@:4}"; do
		[[ $pair != *=* ]] || words+=("--host-record=${pair/=/,}")
	done
	long=$(printf 'long%.0s' {1..60})
	service_spawn "$1" dnsmasq -k -C /dev/null --no-resolv --no-hosts --bind-interfaces --port="$port" \
		--listen-address="$address" --pid-file= --user=root --log-facility=- --local=/test/ "${words[@]}" \
		--txt-record=long.test,"$long,$long,$long,$long"
	service_ready "$1" "udp/$port" "tcp/$port"
}

ask_dns()
{
	local address host port protocol options words
	local service_protocol=udp
	service_question 53 "$@"
	words=(dig -p "$port" +time=1 +tries=1 "@$address")
	if [[ $options == *' truncated '* ]]; then
		service_expect 'a long answer, over UDP and then TCP' 'Truncated, retrying in TCP mode.*longlong' "$1" \
			"${words[@]}" +bufsize=512 long.test TXT
		return
	fi
	[ "$protocol" = udp ] || words+=(+tcp)
	service_expect "an address, asked over $protocol" '192\.0\.2\.7' "$1" "${words[@]}" +short peer.test A
}
