# Clones the agent into the current folder; makes the repository first if there is none.
set -eu
root=../..

if [ ! -e "$root/origin.git" ]; then
    new=$(mktemp -d "$root/.origin.XXXXXX")
    cp "$root"/source/* "$new"
    git -C "$new" init --quiet
    git -C "$new" add .
    git -C "$new" -c user.name=example -c user.email=example@example.invalid commit --quiet -m "An agent"
    # Fails if another agent was faster; then that one's is as good.
    ln -sn "$(basename "$new")" "$root/origin.git" || rm -rf "$new"
fi
git clone --quiet "$root/origin.git" .
echo "cloned $(git log -1 --format='%h %s')"
