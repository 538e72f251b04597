// Options that processes of the program give each other, and switches for tests (cli.md section 1.3).

import BackstopCore

enum InternalOptions {
    static let beta = OptionKey<Bool>(
        .global("beta", .boolean, default: "n", CommandSets.working, "open unfinished features").unsupportedValues("y").instead("n")
            .details(
                "There are none."))
    static let sckBlock = OptionKey<Bool>(
        .global("sck-block", .boolean, default: "n", CommandSets.connected, "use sockets that wait").unsupportedValues("y").instead("n")
            .details(
                "For tests."))
    static let process = OptionKey<Int?>(
        .commandLine("process", .integer(0...1024), [], "number of a worker process").unsupported().details("Between processes."))
    static let lock = OptionKey<[String]>(
        .commandLine("lock", .list, [], "locks that another process takes").unsupported().details("Between processes."))
    static let remoteType = OptionKey<String?>(
        .commandLine("remote-type", .choice(["pg", "repo"]), [], "what another process serves").unsupported().details("Between processes."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "Internal", isHidden: true,
        [beta.spec, sckBlock.spec, process.spec, lock.spec, remoteType.spec])
}
