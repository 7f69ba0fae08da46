#!/bin/sh
# Compiler launcher. ccache makes paths under CCACHE_BASEDIR relative, except behind clang's -Xclang, where CMake puts the
# precompiled header: left absolute, every file that uses it misses in a clone at another place.
for word do
  shift
  case $word in "$PWD"/*) word=${word#"$PWD"/} ;; esac
  set -- "$@" "$word"
done
exec ccache "$@"
