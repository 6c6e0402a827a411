# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The laboratory in which the rows of a table are played: one party for each role, in a network namespace, a
# subnet and a cgroup of its own, all behind one router, and a stranger. Sourced by tests/peers/run and for
# trying a service by hand. The words of scripts/lab (lab_in, lab_spawn, lab_stop, lab_listens) work on
# parties here, and LAB_DIR is where a service may keep its files.
#
#   peers_up DIR PARTIES    makes it; a line of the file PARTIES is: NAME V4 V6 GATEWAY4 GATEWAY6 SUBNET
#   peers_down DIR          removes it, whatever state it is in, and every process in it

peers_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers_top=$(cd "$peers_here/../.." && pwd)
. "$peers_top/scripts/lab"

# The party's cgroup is joined first, because a socket keeps the one it is created in.
lab_words_set() # PARTY -> lab_words
{
	lab_words=(nsenter --net="/run/netns/$LAB_TAG-$1" --)
	[ -z "$LAB_CGROUPS" ] ||
		lab_words=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$LAB_CGROUPS/$LAB_TAG-$1" "${lab_words[@]}")
}

# The words of `ip -batch` that make every party, in the machine's own namespace: nothing of it stays
# there.
peers_words_make() # PARTIES
{
	local name subnet number=0
	echo "netns add $LAB_TAG-router"
	while read -r name _ _ _ _ subnet; do
		number=$((number + 1))
		echo "netns add $LAB_TAG-$name"
		echo "link add p$number netns $LAB_TAG-router type veth peer name eth0 netns $LAB_TAG-$name"
	done <"$1"
}

# A subnet is a bridge of the router, so that neighbours can share one.
peers_words_route() # PARTIES
{
	local name gateway4 gateway6 subnet number=0
	while read -r name _ _ gateway4 gateway6 subnet; do
		number=$((number + 1))
		if [ -z "${made[$subnet]:-}" ]; then
			made[$subnet]=1
			echo "link add b$subnet type bridge mcast_snooping 0"
			echo "link set b$subnet up"
			echo "address add $gateway4/24 dev b$subnet"
			echo "address add $gateway6/64 dev b$subnet nodad"
		fi
		echo "link set p$number master b$subnet up"
	done <"$1"
}

peers_party_set() # NAME V4 V6 GATEWAY4 GATEWAY6
{
	ip -n "$LAB_TAG-$1" -batch - <<-WORDS
		link set lo up
		link set eth0 up
		address add $2/24 dev eth0
		address add $3/64 dev eth0 nodad
		route add default via $4
		route add ::/0 via $5
	WORDS
}

peers_names() # PARTIES
{
	echo router
	cut -d' ' -f1 "$1"
}

peers_namespaces_make() # PARTIES
{
	local name
	local -A made=()
	peers_names "$1" | sed "s/^/$LAB_TAG-/" >"$LAB_DIR/netns"
	peers_words_make "$1" | ip -batch - || return
	for name in $(peers_names "$1"); do
		lab_enter "$name" sh -c 'cd /proc/sys/net && for f in all default; do
			echo 0 >ipv6/conf/$f/accept_dad
			echo 0 >ipv6/conf/$f/router_solicitations
		done; echo 0 >ipv4/icmp_ratelimit; echo 0 >ipv6/icmp/ratelimit' || return
	done
	lab_enter router sh -c 'cd /proc/sys/net && echo 1 >ipv4/ip_forward && echo 1 >ipv6/conf/all/forwarding'
	peers_words_route "$1" | ip -n "$LAB_TAG-router" -batch -
}

peers_cgroups_make() # PARTIES
{
	local name
	LAB_CGROUPS=
	[ -n "$(lab_cgroup_root)" ] || return 0
	for name in $(cut -d' ' -f1 "$1"); do
		lab_cgroup_make "$name" >/dev/null || return
	done
	LAB_CGROUPS=$(lab_cgroup_root)
}

peers_up() # DIR PARTIES
{
	local name v4 v6 gateway4 gateway6 _
	LAB_DIR=$(cd "$1" && pwd) LAB_TAG="fro-$$"
	mkdir -p "$LAB_DIR/log" "$LAB_DIR/pid"
	echo "$LAB_TAG" >"$LAB_DIR/tag"
	peers_namespaces_make "$2" && peers_cgroups_make "$2" && lab_bpffs_make || return
	while read -r name v4 v6 gateway4 gateway6 _; do
		peers_party_set "$name" "$v4" "$v6" "$gateway4" "$gateway6" || return
	done <"$2"
}

# The servers' state needs no orderly shutdown.
peers_down() # DIR
{
	local file
	[ -r "$1/tag" ] || return 0
	for file in "$1"/pid/*; do
		[ ! -r "$file" ] || kill -KILL -- "-$(cat "$file")"
		rm -f "$file"
	done 2>/dev/null
	# The shell prints a message for each of its children that it finds killed.
	lab_down "$1" 2>/dev/null
}
