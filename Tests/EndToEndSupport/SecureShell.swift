// A real ssh server on a port of this host, for the account of the servers, and a client that knows it.

import Foundation

public final class SecureShell: Sendable {
    /// Started at the first use, ended with the process.
    public static let shared = Result { try SecureShell() }

    public let folder: TemporaryFolder
    public let port: Int
    /// The ssh client with all that it needs to get in without a question.
    public let client: String
    private let configuration: String
    nonisolated(unsafe) private let server: Running // signalled only

    /// `hostKeys`: their types; `settings`: lines for the server's configuration, in place of those with the same beginning.
    public init(hostKeys: [String] = ["ed25519"], settings: [String] = ["Subsystem sftp internal-sftp"]) throws {
        let folder = try TemporaryFolder()
        let port = try FreePorts.take(1)[0]
        (self.folder, self.port) = (folder, port)
        for type in hostKeys { try run(["ssh-keygen", "-q", "-t", type, "-N", "", "-f", folder.path("host-\(type).key")]) }
        try run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.path("user.key")])
        try run(["cp", folder.path("user.key.pub"), folder.path("authorized")])
        try folder.write(
            "sshd.conf",
            """
            Port \(port)
            ListenAddress 127.0.0.1
            \(hostKeys.map { "HostKey " + folder.path("host-\($0).key") }.joined(separator: "\n"))
            AuthorizedKeysFile \(folder.path("authorized"))
            PidFile none
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            MaxStartups 100
            MaxSessions 100
            \(settings.joined(separator: "\n"))

            """)
        let keys = try hostKeys.map { try String(contentsOfFile: folder.path("host-\($0).key.pub"), encoding: .utf8) }
        try folder.write("known", keys.map { "[127.0.0.1]:\(port) \($0)" }.joined())
        configuration = try folder.write(
            "ssh.conf",
            """
            IdentityFile \(folder.path("user.key"))
            IdentitiesOnly yes
            UserKnownHostsFile \(folder.path("known"))
            StrictHostKeyChecking yes

            """)
        client = try folder.writeProgram("ssh", "#!/bin/sh\nexec /usr/bin/ssh -F '\(configuration)' \"$@\"\n")
        // The folder that sshd gives up its rights in, which the system makes when it starts its own.
        if Account.isRoot { try run(["mkdir", "-p", "-m", "755", "/run/sshd"], asRoot: true) }
        server = try Running(["/usr/sbin/sshd", "-D", "-e", "-f", folder.path("sshd.conf")], in: folder.path)
        let address = ["-p", "\(port)", "\(Account.name)@127.0.0.1", "true"]
        var last: Outcome?
        do {
            try eventually("the ssh server lets us in") {
                if let ended = server.poll() { throw Failure("the ssh server ended: \(ended)") }
                last = try attempt([client, "-o", "BatchMode=yes"] + address)
                return last?.status == 0 ? true : nil
            }
        } catch {
            throw Failure("\(error)\n\(last.map { "\($0)" } ?? "")")
        }
        SecureShell.stopAtExit(self)
    }

    deinit { server.signal(SIGKILL) }

    /// What a configuration says to reach a repository by way of this server.
    public var options: [(String, String)] {
        [
            ("repo1-host", "127.0.0.1"), ("repo1-host-port", "\(port)"), ("repo1-host-user", Account.name),
            ("repo1-host-cmd", Tool.underTest.path), ("cmd-ssh", client),
        ]
    }

    /// What the section of a stanza says to reach its cluster by way of this server.
    public var clusterOptions: [String] {
        ["pg1-host=127.0.0.1", "pg1-host-port=\(port)", "pg1-host-user=\(Account.name)", "pg1-host-cmd=\(Tool.underTest.path)"]
    }

    /// What a configuration says to reach a repository by SFTP on this server.
    public var sftpOptions: [(String, String)] {
        [
            ("repo1-type", "sftp"), ("repo1-sftp-host", "127.0.0.1"), ("repo1-sftp-host-port", "\(port)"),
            ("repo1-sftp-host-user", Account.name), ("repo1-sftp-private-key-file", folder.path("user.key")),
            ("repo1-sftp-host-key-hash-type", "sha256"), ("repo1-sftp-known-host", folder.path("known")),
        ]
    }

    /// Lets another key in.
    public func letIn(_ publicKeyFile: String) throws {
        try run(["sh", "-c", "cat \"$0\" >>\"$1\"", publicKeyFile, folder.path("authorized")])
    }

    /// Lets a second key in, which starts that command whatever the client asks for. Answers a client that uses it.
    public func client(forcedTo command: String) throws -> String {
        let name = "forced-\(UUID().uuidString)"
        try run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.path("\(name).key")])
        let line = "restrict,command=\"\(command.replacing("\"", with: "\\\""))\" "
        try run(["sh", "-c", "printf %s \"$0\" | cat - \"$1\" >>\"$2\"", line, folder.path("\(name).key.pub"), folder.path("authorized")])
        let text = try String(contentsOfFile: configuration, encoding: .utf8)
        let own = try folder.write("\(name).conf", text.replacing("user.key", with: "\(name).key"))
        let client = try folder.writeProgram(name, "#!/bin/sh\nexec /usr/bin/ssh -F '\(own)' \"$@\"\n")
        return client
    }

    private static func stopAtExit(_ server: SecureShell) {
        running = server
        atexit { SecureShell.running?.server.signal(SIGKILL) }
    }
    nonisolated(unsafe) private static var running: SecureShell? // written once, read at exit
}
