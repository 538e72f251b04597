// A repository on another host, reached through the system's ssh client: that host runs `pgbackstop serve`.

internal import BackstopCore

/// No storage code: the far end is an ordinary storage, served on the standard input and output of ssh. With `repo-type=ssh` it is the
/// folder `repo-path` there; otherwise the configuration of that host says what its repository of this number is.
let ssh = StorageDriver(name: "ssh") { (options, index, context) async throws(BackupError) in
    let host = try options.required("repo-host", index)
    let isFolder = options.string("repo-type", index) == "ssh"
    var arguments = ["serve"]
    if let stanza = options.string("stanza") { arguments.append("--stanza=\(stanza)") }
    if !isFolder { arguments.append("--repo=\(index)") }
    for name in ["config", "config-path", "config-include-path"] where options.isGiven("repo-host-\(name)", index) {
        if let value = options.string("repo-host-\(name)", index) { arguments.append("--\(name)=\(value)") }
    }
    let far = [options.string("repo-host-cmd", index) ?? context.programPath] + arguments
    let program = DriverProgram(
        name: "host '\(host)'", command: sshCommand(options, index, far), patience: Channel.Patience(options), log: context.log)
    let first: Conversation
    do throws(BackupError) {
        first = try program.start()
    } catch  where error.code == .unavailable {
        throw BackupError(
            .hostConnect, "unable to reach repo\(index)-host '\(host)': \(error.message)",
            hint:
                "does 'ssh \((sshPort(options, index) + [sshDestination(options, index)]).joined(separator: " ")) true' work for this user without a password?\n"
                + "is pgbackstop installed there? (repo\(index)-host-cmd is its path)")
    }
    let configuration = JSON.object(isFolder ? ["path": .string(try options.required("repo-path", index))] : [:])
    return try ProcessStorage(program, first, configuration, host: host)
}

private func sshDestination(_ options: Options, _ index: Int) -> String {
    let host = options.string("repo-host", index) ?? ""
    return options.string("repo-host-user", index).map { "\($0)@\(host)" } ?? host
}

private func sshPort(_ options: Options, _ index: Int) -> [String] {
    guard let port = options.number("repo-host-port", index), port > 0 else { return [] }
    return ["-p", "\(port)"]
}

/// The command line that runs `far` on the repository's host. Never asks anybody for a password: commands are run
/// by PostgreSQL and by timers.
private func sshCommand(_ options: Options, _ index: Int, _ far: [String]) -> [String] {
    var command = [options.string("cmd-ssh") ?? "ssh"]
    command += ["-T", "-o", "BatchMode=yes", "-o", "Compression=no", "-o", "LogLevel=ERROR"]
    command += sshPort(options, index)
    // A host that begins with a dash would be an option.
    command += ["--", sshDestination(options, index)]
    return command + [far.map(shellQuoted).joined(separator: " ")]
}

/// As one word for a POSIX shell.
func shellQuoted(_ word: String) -> String {
    let plain =
        !word.isEmpty
        && word.utf8.allSatisfy { byte in
            byte >= UInt8(ascii: "0") && byte <= 57 || byte >= 65 && byte <= 90 || byte >= 97 && byte <= 122
                || "-_./=:,@%+".utf8.contains(byte)
        }
    return plain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
}
