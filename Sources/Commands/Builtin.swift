// The commands of this build, one line each.
