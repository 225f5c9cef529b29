#!/bin/sh
# make_view.sh ROOM_FOLDER VIEW NAME: a view is a directory that holds one symbolic link, VIEW/NAME → ROOM_FOLDER.
set -eu
mkdir -p "$2"
ln -sfn "$1" "$2/$3"
