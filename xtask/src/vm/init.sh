#!/busybox/sh
# The virtual machine's first process: makes it habitable, runs the command, tells how it ended.
#
# Busybox comes last in PATH and is not /bin/sh, which runs the command: Debian's busybox shell runs
# its own `ip` and `ping` ahead of the real ones.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/busybox HOME=/root TERM=dumb
# Here tests may leave nothing out for want of a kernel's feature.
export GATEWAY_VM=1
/busybox/busybox --install -s /busybox
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
exec </dev/null

. /vm/settings
# The machine ends by itself should the program that started it be gone.
(sleep "$LIFETIME" && poweroff -f) &

while read -r module; do
    insmod "/vm/modules/$module" || echo "vm: cannot load $module"
done </vm/load-order
ifconfig lo up

cd "$FOLDER" && /bin/sh /vm/command
status=$?
# Setting a terminal waits until all of its output is on the line.
stty -F /dev/ttyS0 -echo
echo "$status" >/dev/ttyS1
# The kernel's farewell is no output of the command.
echo 0 >/proc/sys/kernel/printk
poweroff -f
