// A storage in another process.

internal import BackstopCore
internal import Synchronization

/// Every request has a process for itself; processes are kept for the next one, so there are as many as requests were under way at a time.
final class ProcessStorage: Storage {
    private let program: DriverProgram
    private let configuration: JSON
    private let idle = Mutex<[Conversation]>([])
    let capabilities: Capabilities
    let location: String
    private let blocks = BlockPool()

    /// `first` has said hello; the storage is opened with `configuration`. `host`: where that is, for people.
    init(_ program: DriverProgram, _ first: Conversation, _ configuration: JSON, host: String? = nil) throws(BackupError) {
        self.program = program
        self.configuration = configuration
        capabilities = first.description.capabilities
        let reply = try Self.begin(first, configuration)
        location = (host.map { "\($0):" } ?? "") + (reply["location"]?.string ?? program.name)
        idle.withLock { $0.append(first) }
    }

    private static func begin(_ conversation: Conversation, _ configuration: JSON) throws(BackupError) -> JSON {
        do throws(BackupError) {
            return try conversation.ask(.object(["op": .string("start"), "config": configuration]))
        } catch {
            throw Refusal.of(error) ?? error
        }
    }

    // MARK: Conversations

    private func take() throws(BackupError) -> Conversation {
        while let kept = idle.withLock({ $0.popLast() }) {
            if kept.isQuiet { return kept }
        }
        let conversation = try program.start()
        _ = try Self.begin(conversation, configuration)
        return conversation
    }

    func give(back conversation: Conversation) { idle.withLock { $0.append(conversation) } }

    /// Runs one request. A conversation that broke is dropped, with its process.
    private func request<Result>(
        _ body: (Conversation) async throws(BackupError) -> Result
    ) async throws(BackupError) -> Result {
        let conversation = try take()
        do throws(BackupError) {
            let result = try await body(conversation)
            give(back: conversation)
            return result
        } catch {
            guard let told = Refusal.of(error) else { throw error }
            give(back: conversation)
            throw told
        }
    }

    private func ask(_ operation: String, _ members: [String: JSON]) async throws(BackupError) -> JSON {
        try await request { (conversation) throws(BackupError) in try conversation.ask(Self.call(operation, members)) }
    }

    static func call(_ operation: String, _ members: [String: JSON]) -> JSON {
        var members = members
        members["op"] = .string(operation)
        return .object(members)
    }

    private func broken(_ what: String) -> BackupError {
        BackupError(.corrupt, "\(program.name) \(what)", hint: "the driver does not keep to the protocol: see 'driver check'.")
    }

    // MARK: The contract

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        let conversation = try take()
        var members: [String: JSON] = ["key": .string(key.path)]
        if let range { members["range"] = .array([JSON(range.lowerBound), JSON(range.upperBound)]) }
        do throws(BackupError) {
            _ = try conversation.ask(Self.call("open", members))
        } catch {
            guard let told = Refusal.of(error) else { throw error }
            give(back: conversation)
            throw told
        }
        return ProcessSource(self, conversation, key, most: range.map { UInt64($0.count) })
    }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        let conversation = try take()
        var sent: UInt64 = 0
        var failure: BackupError?
        try conversation.channel.send(.call, Self.call("put", ["key": .string(key.path), "options": options.wire]))
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
            if abandon(conversation, error.message) { give(back: conversation) }
            throw error
        }
        if let failure { throw failure }
        do throws(BackupError) {
            try conversation.channel.send(.end, .object(["size": JSON(sent)]))
            let reply = try conversation.answer()
            give(back: conversation)
            guard let entry = reply["entry"].flatMap({ Entry(wire: $0) }), entry.key == key, entry.kind == .file else {
                throw broken("does not tell what it stored as '\(key)'")
            }
            guard entry.size == sent else { throw broken("says that '\(key)' has \(entry.size) bytes of the \(sent) that were sent") }
            return entry
        } catch {
            guard let told = Refusal.of(error) else { throw error }
            give(back: conversation)
            throw told
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
        let reply = try await ask("stat", ["key": .string(key.path)])
        guard let value = reply["entry"], value != .null else { return nil }
        guard let entry = Entry(wire: value), entry.key == key else { throw broken("answers with what is no entry for '\(key)'") }
        return entry
    }

    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        try await request { (conversation) throws(BackupError) in
            var members = depth.wireMembers
            members["prefix"] = .string(prefix.path)
            try conversation.channel.send(.call, Self.call("list", members))
            while true {
                let header = try conversation.next("a listing")
                let value = try conversation.channel.json(header)
                if header.kind == .reply { return }
                guard header.kind == .entry else { throw conversation.channel.unexpected(header, "a listing") }
                guard let entry = Entry(wire: value), !entry.key.isRoot,
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
            _ = try await ask("remove", ["keys": .array(keys[start..<min(keys.count, start + 500)].map { .string($0.path) })])
        }
    }

    func sync(_ prefix: Key) async throws(BackupError) { _ = try await ask("sync", ["prefix": .string(prefix.path)]) }
}

/// The bytes of one object; the conversation is free again at their end.
struct ProcessSource: ByteSource, ~Copyable {
    private let storage: ProcessStorage
    private var conversation: Conversation?
    private let key: Key
    private let most: UInt64?
    private var got: UInt64 = 0
    /// Of the frame under way.
    private var rest = 0

    init(_ storage: ProcessStorage, _ conversation: Conversation, _ key: Key, most: UInt64?) {
        self.storage = storage
        self.conversation = conversation
        self.key = key
        self.most = most
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        guard let conversation else { return false }
        do throws(BackupError) {
            while rest == 0 {
                let header = try conversation.next("the bytes of '\(key)'")
                switch header.kind {
                case .data: rest = header.length
                case .end:
                    _ = try conversation.channel.json(header)
                    storage.give(back: conversation)
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
            guard let told = Refusal.of(error) else { throw error }
            storage.give(back: conversation)
            throw told
        }
    }
}
