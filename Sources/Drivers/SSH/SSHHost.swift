// Another host, on which the system's ssh client starts this program.

internal import BackstopCore

/// What `repoN-host-…` or `pgN-host-…` say.
struct SSHHost {
    private let options: Options
    private let keys: HostKeys
    private let index: Int
    let name: String

    init(_ options: Options, _ keys: HostKeys, _ index: Int) throws(BackupError) {
        self.options = options
        self.keys = keys
        self.index = index
        name = try options.required(keys.host, index)
    }

    /// `serve` on that host, with `arguments` and those that say which stanza and configuration it is for.
    func serve(_ arguments: [String], _ context: DriverContext) -> DriverProgram {
        var far = [options[keys.cmd, index] ?? context.programPath, "serve"] + arguments
        if let stanza = options[SourceOptions.stanza] { far.append("--stanza=\(stanza)") }
        for (key, there) in keys.sources where options.isGiven(key, index) { far.append("--\(there)=\(options[key, index])") }
        return DriverProgram(
            name: "host '\(name)'", command: command(far), patience: Channel.Patience(options), log: context.log, noiseHint: noiseHint)
    }

    /// The first conversation, which tells whether the host can be reached at all.
    func start(_ program: DriverProgram) throws(BackupError) -> Conversation {
        do throws(BackupError) {
            return try program.start()
        } catch  where error.code == .unavailable {
            let option = keys.host.spec.fullName(index)
            // Once our own program has spoken, ssh and the path are not to blame.
            let hasSpoken = error.message.contains("ERROR: [")
            throw BackupError(
                .hostConnect, "unable to reach \(option) '\(name)': \(error.message)",
                hint: hasSpoken
                    ? nil
                    : error.hint
                        ?? "does 'ssh \((port + [destination]).joined(separator: " ")) true' work for this user without a password?\n"
                        + "is pgbackstop installed there? (\(option)-cmd is its path)")
        }
    }

    /// Whoever logs in there hears more than our program.
    private var noiseHint: String {
        "something on that host prints before pgbackstop does: ~/.bashrc or another start-up file, or a login shell that lets nobody in.\n"
            + "'ssh \((port + [destination]).joined(separator: " ")) true' must print nothing."
    }

    private var destination: String { "\(options[keys.user, index])@\(name)" }

    private var port: [String] {
        guard let port = options[keys.port, index], port > 0 else { return [] }
        return ["-p", "\(port)"]
    }

    /// The command line that runs `far` there. It never asks anybody for a password: commands are run by PostgreSQL and by timers. A
    /// connection on which nothing travels, as that of a backup's database session, is kept alive, and one that is dead is noticed.
    private func command(_ far: [String]) -> [String] {
        var command = [options[ClusterHostOptions.cmdSSH]]
        command += ["-T", "-o", "BatchMode=yes", "-o", "Compression=no", "-o", "LogLevel=ERROR"]
        command += ["-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=4"]
        let patience = options[NetworkOptions.ioTimeout].components.seconds
        command += ["-o", "ConnectTimeout=\(max(1, patience))"]
        command += port
        // A host that begins with a dash would be an option.
        command += ["--", destination]
        return command + [far.map(shellQuoted).joined(separator: " ")]
    }
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
