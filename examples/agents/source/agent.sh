# Stands for an agent runtime: a process with a child, which ends when it is told to.
trap 'echo "agent $PROJECT_ID ends"; exit 0' TERM
echo "agent $PROJECT_ID is ready in $PROJECT_DIR, its API on port $API_SERVER_PORT"
while :; do
    sleep 60 &
    wait
done
