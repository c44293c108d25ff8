# shellcheck shell=bash
# bash completion of marquee-run
complete -o default -W "--accept-loss --cluster --config --data --durability --help --http-port --nats-port
    --no-demo --print-server --rebuild --scheduling --secure" marquee-run
