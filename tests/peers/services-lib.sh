# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Common parts of the services: the place of their state, start and readiness of a server, a client's
# request within its time. Sourced by tests/peers/services/*.sh; needs a lab (LAB_DIR, LAB_TAG) when its
# functions are called, and makes none.
#
# A service NAME has two functions. serve_NAME PARTY ADDRESS PORT [OPTION...] starts its server in the
# party's namespace and returns when every port of it listens, or says on stderr why not. ask_NAME PARTY
# ADDRESS PORT [tcp|udp] [OPTION...] has its client, in that party, exchange something with the server: one
# line on stdout that describes it, or failure and the reason on stderr, always within three seconds. A PORT
# of "-" is the service's own; an option that a function does not know is another's. service_stop NAME PARTY
# ADDRESS PORT ends a server; so does the end of the lab.
[ -z "${services_top:-}" ] || return 0
services_conf=$(cd "$(dirname "${BASH_SOURCE[0]}")/conf" && pwd)
services_top=$(cd "$services_conf/../../.." && pwd)
declare -F lab_in >/dev/null || . "$services_top/scripts/lab"
declare -F nfs_start >/dev/null || . "$services_top/scripts/lab-servers"

# The beginning of a server's functions; the caller declares service_name, service_dir, address, host and
# port local. Fails (and that is no error) when the very server runs already. NAME PARTY ADDRESS PORT DEFAULT
service_begin()
{
	address=$3 host=$3 port=$4
	[[ $address != *:* ]] || host="[$address]"
	[ "$port" != - ] || port=$5
	service_name="$1-$2-$3-$4"
	service_dir=$(service_directory "$1" "$2-$3-$4")
	service_runs && return 1
	mkdir -p "$service_dir"
	chmod a+x "$LAB_DIR" # some servers are other users
}

# Without colons, which separate paths for some programs. NAME INSTANCE
service_directory()
{
	echo "$LAB_DIR/peers/$1/${2//:/_}"
}

service_runs()
{
	[ -r "$LAB_DIR/pid/$service_name" ] && kill -0 "$(cat "$LAB_DIR/pid/$service_name")" 2>/dev/null
}

# The server's configuration, from conf/FILE to the service's directory: FILE [NAME=VALUE...]
service_conf()
{
	local file=$1 edits=() pair
	shift
	for pair in "DIR=$service_dir" "ADDRESS=$address" "HOST=$host" "PORT=$port" "TLS=$(service_tls "$address")" "$@"; do
		edits+=(-e "s|@${pair%%=*}@|${pair#*=}|g")
	done
	sed "${edits[@]}" "$services_conf/$file" >"$service_dir/$file"
}

# The server, in the party, without the machine's resolver. PARTY COMMAND...
service_spawn()
{
	local party=$1
	shift
	lab_spawn "$service_name" "$party" "${lab_offline[@]}" "$@"
}

# The same, for a server that requires files of its own in /run. PARTY COMMAND...
service_spawn_private()
{
	local party=$1
	shift
	service_spawn "$party" sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' sh "$@"
}

# Whether ss lists a listener on PROTOCOL/PORT that answers for the address. LIST PROTOCOL/PORT
service_port_listens()
{
	local at any
	[[ $address == *:* ]] && any='[::]' || any=0.0.0.0
	for at in "$host" "$any" '*'; do
		[[ $1 == *" ${2%/*} $at:${2#*/} "* ]] && return 0
	done
	return 1
}

# Until every port listens, at most ten seconds; a server that cannot is stopped. PARTY PROTOCOL/PORT...
service_ready()
{
	local party=$1 i want list netid at
	shift
	for ((i = 0; i < 1200; i++)); do
		list=' '
		while read -r netid _ _ _ at _; do
			list+="$netid ${at/\%*:/:} "
			list+=' '
		done < <(lab_enter "$party" ss -Hltun 2>/dev/null)
		for want in "$@"; do
			service_port_listens "$list" "$want" || break
			want=
		done
		[ -n "$want" ] || return 0
		service_runs || break
		sleep 0.05
	done
	echo "$service_name: nobody listens on $want: $(tail -n 3 "$LAB_DIR/log/$service_name" 2>/dev/null)" >&2
	lab_stop "$service_name"
	return 1
}

# The first FIRST-LAST among the options: DEFAULT OPTION...
service_range()
{
	local range=$1 word
	shift
	for word in "$@"; do
		[[ $word =~ ^[0-9]+-[0-9]+$ ]] && range=$word && break
	done
	echo "$range"
}

service_stop() # NAME PARTY ADDRESS PORT [tcp|udp, of a listener of one]
{
	case $1 in
	nfs) set -- nfs "$2" any - ;; # one a party, whatever the address
	nats | netbios) set -- "$1" "$2" "$3" - ;; # one server has all of its ports
	esac
	lab_stop "$1-$2-$3-$4${5:+-$5}"
}

# Where the key and the certificate of an address lie, but for .key and .pem: ADDRESS
service_tls()
{
	service_directory tls "$1"
}

# Makes these, once: ADDRESS
service_certificate()
{
	local at
	at=$(service_tls "$1")
	mkdir -p "${at%/*}"
	(
		flock 9
		[ -e "$at.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
			-days 2 -subj "/CN=peer of the lab" -addext "subjectAltName=IP:$1,DNS:peer.test" \
			-keyout "$at.key" -out "$at.pem" 2>/dev/null
	) 9>"${at%/*}/lock"
}

# The beginning of an ask: the caller declares address, host, port, protocol and options local.
# DEFAULT-PORT PARTY ADDRESS PORT [tcp|udp] [OPTION...]
service_question()
{
	address=$3 host=$3 port=$4 protocol=${service_protocol:-tcp}
	[[ $address != *:* ]] || host="[$address]"
	[ "$port" != - ] || port=$1
	shift 4
	case ${1:-} in tcp | udp) protocol=$1 && shift ;; esac
	options=" $* "
}

# A client in the party, without the machine's resolver, ended in time; a caller that expects a refusal
# may want to be less patient (services_patience, seconds).
service_client() # PARTY COMMAND...
{
	local party=$1
	shift
	lab_in "$party" "${lab_offline[@]}" timeout -s KILL "${services_patience:-60}" "$@" </dev/null
}

# Prints WHAT when the client ends well and its output fits; else its output, on stderr.
service_expect() # WHAT EXTENDED-REGULAR-EXPRESSION PARTY COMMAND...
{
	local what=$1 pattern=$2 said
	shift 2
	if said=$(service_client "$@" 2>&1 | tr -d '\0'; exit "${PIPESTATUS[0]}") && [[ $said =~ $pattern ]]; then
		echo "$what"
		return 0
	fi
	printf '%s\n' "${said:-no answer}" | head -5 >&2
	return 1
}
