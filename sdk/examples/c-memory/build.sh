#!/bin/sh
# Builds ./bytes beside this file. CC and CFLAGS are taken from the environment.
cd "$(dirname "$0")" && exec ${CC:-cc} ${CFLAGS:--O2} -o bytes bytes.c
