// Options of the commands that look into a repository, and those that processes of the program give each other (cli.md section 1.3).

import BackstopCore

let inspectionOptions = OptionSpec.section(
    "Inspection",
    [
        .commandLine("detail-level", .choice(["full", "progress"]), default: "full", ["info"], "how much is shown")
            .details("progress shows only how far a running backup or restore is."),
        .commandLine("filter", .string, ["manifest", "repo-ls"], "pattern for names").unsupported().details("A regular expression."),
        .commandLine("recurse", .boolean, default: "n", ["repo-ls", "repo-rm"], "include what is in folders").unsupported().details(
            "At any depth."),
        .commandLine("sort", .choice(["none", "asc", "desc"]), default: "asc", ["repo-ls"], "order of names").unsupported()
            .details("none is the order in which the storage tells them."),
        .commandLine("ignore-missing", .boolean, default: "n", ["repo-get"], "say nothing about a missing file").unsupported()
            .details("The exit status is 1 then."),
        .commandLine("raw", .boolean, default: "n", ["repo-get"], "neither decrypt nor decompress").unsupported().details(
            "The bytes as stored."),
        .commandLine("reference", .string, ["manifest"], "show the files that are in this earlier backup").unsupported()
            .details("A label."),
        .commandLine("pg", .integer(1...256), ["manifest", "serve"], "index of the cluster to look at").details(
            "serve: serves that cluster; without it a repository."),
        .commandLine("verbose", .boolean, default: "n", ["verify", "version"], "show more").unsupportedFor("verify")
            .details("For each archive and backup."),
    ])

let internalOptions = OptionSpec.section(
    "Internal", isHidden: true,
    [
        .global("beta", .boolean, default: "n", Commands.working, "open unfinished features").unsupportedValues("y").instead("n").details(
            "There are none."),
        .global("sck-block", .boolean, default: "n", Commands.connected, "use sockets that wait").unsupportedValues("y").instead("n")
            .details(
                "For tests."),
        .commandLine("exec-id", .string, Commands.working, "name of this run in logs and locks")
            .details("Processes that one run starts share it. Made up when unset."),
        .commandLine("process", .integer(0...1024), [], "number of a worker process").unsupported().details("Between processes."),
        .commandLine("lock", .list, [], "locks that another process takes").unsupported().details("Between processes."),
        .commandLine("remote-type", .choice(["pg", "repo"]), [], "what another process serves").unsupported().details("Between processes."),
        .commandLine("remove-uploads", .time(100...3650 * day), ["check"], "remove unfinished uploads that are at least so old")
            .details(
                "An object store keeps, and charges for, what a killed run had begun to upload. No listing shows it but that of check."),
        .commandLine("report", .boolean, default: "n", ["check"], "write a report for support").unsupported().details(
            "Not made by this program."),
    ])
