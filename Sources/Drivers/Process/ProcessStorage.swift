// A storage in another process.

internal import BackstopCore
internal import Synchronization

/// Keys are below `prefix` of what the driver opened.
class ProcessStorage: FarStorage, ProgramStorage, @unchecked Sendable {
    // Not final, so the compiler does not see that all of it is constant.
    fileprivate let conversations: Conversations
    private let prefix: Key
    let capabilities: Capabilities
    let location: String
    /// Only of a host with our own program, whose keys are ours to know.
    let encryption: Encryption?
    private let blocks = BlockPool(blockSize: min(BlockSize.standard, FrameHeader.mostData))

    fileprivate init(
        _ conversations: Conversations, _ prefix: Key, _ capabilities: Capabilities, location: String, encryption: Encryption? = nil
    ) {
        self.encryption = encryption
        self.conversations = conversations
        self.prefix = prefix
        self.capabilities = capabilities
        self.location = location
    }

    /// What `first`, which has said hello, opens: a file tree when the driver says that it is one. `host`: where that is, for people.
    static func start(_ conversations: Conversations, _ first: Conversation, host: String? = nil) throws(BackupError) -> ProcessStorage {
        let reply = try conversations.begin(first)
        let capabilities = first.description.capabilities
        let location = (host.map { "\($0):" } ?? "") + (reply["location"]?.string ?? conversations.program.name)
        conversations.give(back: first)
        let encryption = host == nil ? nil : reply["encryption"].flatMap { Encryption(wire: $0) }
        if reply["tree"]?.bool == true {
            return ProcessTree(conversations, .root, capabilities, location: location, encryption: encryption)
        }
        return ProcessStorage(conversations, .root, capabilities, location: location, encryption: encryption)
    }

    fileprivate func ask(_ request: Request, _ members: [String: JSON]) async throws(BackupError) {
        try await conversations.request { (conversation) throws(BackupError) in
            _ = try conversation.ask(request.call(members))
        }
    }

    /// As the driver knows it.
    fileprivate func wire(_ key: Key) -> JSON {
        .string(prefix.isRoot ? key.path : key.isRoot ? prefix.path : "\(prefix.path)/\(key.path)")
    }

    /// nil when it is none of ours.
    private func entry(_ value: JSON) -> Entry? {
        guard var entry = Entry(wire: value) else { return nil }
        if prefix.isRoot { return entry }
        if entry.key == prefix {
            entry.key = .root
        } else {
            guard entry.key.path.isBelow(prefix.path) else { return nil }
            entry.key = Key(entry.key.path.droppingBytes(prefix.path.utf8.count + 1))
        }
        return entry
    }

    private func broken(_ what: String) -> BackupError {
        BackupError(
            .corrupt, "\(conversations.program.name) \(what)", hint: "the driver does not keep to the protocol: see 'driver check'.")
    }

    // MARK: The contract

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try open(key, range, through: nil)
    }

    fileprivate func open(_ key: Key, _ range: Range<UInt64>?, through steps: FarSteps?) throws(BackupError) -> ProcessSource {
        let conversation = try conversations.take()
        var members = steps?.members ?? [:]
        members["key"] = wire(key)
        if let range { members["range"] = .array([JSON(range.lowerBound), JSON(range.upperBound)]) }
        do throws(BackupError) {
            _ = try conversation.ask(Request.open.call(members))
        } catch {
            throw conversations.end(conversation, error)
        }
        return ProcessSource(conversations, conversation, key, most: steps?.most ?? range.map { UInt64($0.count) }, steps)
    }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        let conversation = try conversations.take()
        var sent: UInt64 = 0
        var failure: BackupError?
        try conversation.channel.send(.call, Request.put.call(["key": wire(key), "options": options.wire]))
        let lent = blocks.lend()
        do throws(BackupError) {
            var more = true
            while more {
                more = try await lent.block.fill(from: &source)
                sent += UInt64(lent.block.count)
                if let error = send(&lent.block, conversation) {
                    failure = error
                    break
                }
            }
        } catch {
            // The source failed: the driver forgets what it has, says so, and is as good as before.
            if abandon(conversation, error.message) { conversations.give(back: conversation) }
            throw error
        }
        if let failure { throw failure }
        do throws(BackupError) {
            try conversation.channel.send(.end, .object(["size": JSON(sent)]))
            let reply = try conversation.answer()
            conversations.give(back: conversation)
            guard let entry = reply["entry"].flatMap({ entry($0) }), entry.key == key, entry.kind == .file else {
                throw broken("does not tell what it stored as '\(key)'")
            }
            guard entry.size == sent else { throw broken("says that '\(key)' has \(entry.size) bytes of the \(sent) that were sent") }
            return entry
        } catch {
            throw conversations.end(conversation, error)
        }
    }

    /// Whether the driver can be asked again.
    private func abandon(_ conversation: Conversation, _ why: String) -> Bool {
        do throws(BackupError) {
            try conversation.channel.send(.abandon, .object(["message": .string(why)]))
            _ = try conversation.answer()
            return false
        } catch {
            return Refusal.of(error) != nil
        }
    }

    /// What went wrong with the conversation; errors of the source are thrown apart.
    private func send(_ block: inout Block, _ conversation: Conversation) -> BackupError? {
        do throws(BackupError) {
            try conversation.channel.send(&block)
            return nil
        } catch {
            return error
        }
    }

    func stat(_ key: Key) async throws(BackupError) -> Entry? {
        let reply = try await conversations.request { (conversation) throws(BackupError) in
            try conversation.ask(Request.stat.call(["key": wire(key)]))
        }
        guard let value = reply["entry"], value != .null else { return nil }
        guard let entry = entry(value), entry.key == key else { throw broken("answers with what is no entry for '\(key)'") }
        return entry
    }

    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        try await conversations.request { (conversation) throws(BackupError) in
            var members = depth.wireMembers
            members["prefix"] = wire(prefix)
            try conversation.channel.send(.call, Request.list.call(members))
            while true {
                let header = try conversation.next("a listing")
                let value = try conversation.channel.json(header)
                if header.kind == .reply { return }
                guard header.kind == .entry else { throw conversation.channel.unexpected(header, "a listing") }
                guard let entry = entry(value), !entry.key.isRoot,
                    depth == .all ? prefix.isRoot || entry.key.path.isBelow(prefix.path) : entry.key.parent == prefix
                else { throw broken("lists what is not in '\(prefix)': \(value.text.prefix(200))") }
                guard depth == .all || depth.includes(entry.key) else { continue }
                try visit(entry)
            }
        }
    }

    func remove(_ key: Key) async throws(BackupError) { try await remove([key]) }

    func remove(_ keys: [Key]) async throws(BackupError) {
        // A request may not be longer than a frame.
        for start in stride(from: 0, to: keys.count, by: 500) {
            try await ask(.remove, ["keys": .array(keys[start..<min(keys.count, start + 500)].map { wire($0) })])
        }
    }

    func sync(_ prefix: Key) async throws(BackupError) { try await ask(.sync, ["prefix": wire(prefix)]) }

    // MARK: The processes

    var processesAtWork: Set<Int32> {
        var found: Set<Int32> = []
        conversations.withThoseAtWork { if let process = $0.livingProcess { found.insert(process) } }
        return found
    }

    func breakOff(put key: Key?, _ bytes: [UInt8], by end: ProgramEnd, within limit: Duration) throws(BackupError) -> Int32? {
        try conversations.breakOff(put: key.map { wire($0) }, bytes, by: end, within: limit)
    }

    func endProcesses() { conversations.withThoseAtWork { $0.endProcess() } }
}

/// A file tree in another process.
final class ProcessTree: ProcessStorage, SteppingTree, @unchecked Sendable {
    /// What is below `prefix`.
    override init(
        _ conversations: Conversations, _ prefix: Key, _ capabilities: Capabilities, location: String, encryption: Encryption? = nil
    ) {
        super.init(
            conversations, prefix, capabilities.union([.symbolicLinks, .hardLinks]), location: location, encryption: encryption)
    }

    func open(_ key: Key, range: Range<UInt64>?, through steps: FarSteps) async throws(BackupError) -> any ByteSource & ~Copyable {
        try open(key, range, through: steps)
    }

    func makeDirectory(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        try await ask(.makeDirectory, attributes.wireMembers.merging(["key": wire(key)]) { $1 })
    }

    func removeDirectory(_ key: Key) async throws(BackupError) { try await ask(.removeDirectory, ["key": wire(key)]) }

    func link(_ key: Key, to target: String, _ kind: LinkKind) async throws(BackupError) {
        // The target of a hard link is a key, that of a symbolic link any text.
        try await ask(
            .link,
            ["key": wire(key), "target": kind == .hard ? wire(Key(target)) : .string(target), "kind": .string(kind.rawValue)])
    }

    func setAttributes(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        try await ask(.setAttributes, attributes.wireMembers.merging(["key": wire(key)]) { $1 })
    }
}

/// The bytes of one object; the conversation is free again at their end.
struct ProcessSource: ByteSource, ~Copyable {
    private let conversations: Conversations
    private var conversation: Conversation?
    private let key: Key
    private let most: UInt64?
    private let steps: FarSteps?
    private var got: UInt64 = 0
    /// Of the frame under way.
    private var rest = 0

    init(_ conversations: Conversations, _ conversation: Conversation, _ key: Key, most: UInt64?, _ steps: FarSteps?) {
        self.conversations = conversations
        self.conversation = conversation
        self.key = key
        self.most = most
        self.steps = steps
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        guard let conversation else { return false }
        do throws(BackupError) {
            while rest == 0 {
                let header = try conversation.next("the bytes of '\(key)'")
                switch header.kind {
                case .data: rest = header.length
                case .end:
                    let end = try conversation.channel.json(header)
                    steps?.findings = end
                    conversations.give(back: conversation)
                    self.conversation = nil
                    return false
                default: throw conversation.channel.unexpected(header, "the bytes of '\(key)'")
                }
            }
            let count = try conversation.channel.data(rest, into: &out)
            rest -= count
            got += UInt64(count)
            if let most, got > most { throw BackupError(.corrupt, "\(conversation.name) sends more of '\(key)' than was asked for") }
            return true
        } catch {
            self.conversation = nil
            throw conversations.end(conversation, error)
        }
    }
}
