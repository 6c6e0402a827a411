# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: openssh-server; openssh-client. Real: SSH on 22 or any port, TCP. A command is run by key.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

ssh_keys() # the lab's one host key and one user's key
{
	local key
	(
		flock 9
		for key in host user; do
			[ -e "$LAB_DIR/peers/ssh/$key" ] || ssh-keygen -q -t ed25519 -N '' -f "$LAB_DIR/peers/ssh/$key"
		done
	) 9>"$LAB_DIR/peers/ssh/lock"
}

serve_ssh()
{
	local service_name service_dir address host port
	service_begin ssh "$1" "$2" "$3" 22 || return 0
	ssh_keys
	service_conf sshd_config
	# Hide root's .bashrc, which would run before a command.
	service_spawn_private "$1" sh -c 'mkdir /run/sshd && { [ ! -e ~/.bashrc ] || mount --bind /dev/null ~/.bashrc; } &&
		exec /usr/sbin/sshd -D -e -f "$0"' "$service_dir/sshd_config"
	service_ready "$1" "tcp/$port"
}

ask_ssh()
{
	local address host port protocol options
	service_question 22 "$@"
	service_expect "a command over SSH on $port" '42' "$1" ssh -F none -i "$LAB_DIR/peers/ssh/user" -p "$port" \
		-o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
		-o LogLevel=ERROR "root@$address" 'echo $((6 * 7))'
}
