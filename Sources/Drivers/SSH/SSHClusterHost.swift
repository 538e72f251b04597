// The host of a cluster, reached through the system's ssh client: that host runs `pgbackstop serve --pg=1`.

public import BackstopCore

/// Trees and sessions of one host share its connections: one for each request that is under way.
public final class SSHClusterHost: FarHost {
    public let name: String
    private let conversations: Conversations
    private let capabilities: Capabilities

    /// Connects to `pgN-host`. `cluster`: what the far side is told of the cluster; its own configuration says the rest.
    public init(_ options: Options, _ index: Int, _ context: DriverContext, cluster: JSON) throws(BackupError) {
        let host = try SSHHost(options, ClusterHostOptions.keys, index)
        // On its own host the cluster is the first, whatever its number is here.
        let timeout = options.isGiven(NetworkOptions.dbTimeout) ? ["--db-timeout=\(timeText(options[NetworkOptions.dbTimeout]))"] : []
        let program = host.serve(["--pg=1"] + timeout, context)
        let first = try host.start(program)
        name = host.name
        capabilities = first.description.capabilities
        conversations = Conversations(program, ["cluster": cluster], locks: context.locks?.wire)
        _ = try conversations.begin(first)
        conversations.give(back: first)
    }

    public func tree(_ path: String) -> any SteppingTree {
        ProcessTree(conversations, Key(absolute: path), capabilities, location: "\(name):\(path)")
    }

    public func session() throws(BackupError) -> any FarSession { SSHSession(try conversations.take()) }
}

/// A conversation that no other request uses.
private final class SSHSession: FarSession {
    private let conversation: Conversation

    init(_ conversation: Conversation) { self.conversation = conversation }

    var descriptor: Int32 { conversation.channel.input }

    func ask(_ request: Request, _ members: [String: JSON], entry: (JSON) throws(BackupError) -> Void) throws(BackupError) -> JSON {
        do throws(BackupError) {
            try conversation.channel.send(.call, request.call(members))
            while true {
                let header = try conversation.next("an answer")
                let value = try conversation.channel.json(header)
                if header.kind == .reply { return value }
                guard header.kind == .entry else { throw conversation.channel.unexpected(header, "an answer") }
                try entry(value)
            }
        } catch {
            throw Refusal.of(error) ?? error
        }
    }
}
