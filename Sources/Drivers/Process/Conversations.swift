// The running processes of a driver, kept for the next request.

internal import BackstopCore
internal import Synchronization

/// Every request has a process for itself, so there are as many as requests were under way at a time.
final class Conversations: Sendable {
    private struct State {
        var idle: [Conversation] = []
        /// The one whose process holds the locks of the command on its host.
        weak var holder: Conversation?
        var started: [Weak] = []
    }

    private struct Weak {
        weak var conversation: Conversation?
    }

    let program: DriverProgram
    private let configuration: [String: JSON]
    private let locks: JSON?
    private let state = Mutex(State())

    /// `locks`: what one of the processes shall lock when it starts.
    init(_ program: DriverProgram, _ configuration: [String: JSON], locks: JSON? = nil) {
        self.program = program
        self.configuration = configuration
        self.locks = locks
    }

    /// Tells a driver that has said hello what to open. Answers its reply.
    func begin(_ conversation: Conversation) throws(BackupError) -> JSON {
        defer { note(conversation) }
        var configuration = configuration
        if let locks {
            let isHolder = state.withLock { state in
                if state.holder == nil { state.holder = conversation }
                return state.holder === conversation
            }
            if isHolder { configuration["lock"] = locks }
        }
        do throws(BackupError) {
            return try conversation.ask(Request.start.call(["config": .object(configuration)]))
        } catch {
            throw Refusal.of(error) ?? error
        }
    }

    func take() throws(BackupError) -> Conversation {
        // The next one that is started locks anew what the lost one held.
        if locks != nil { state.withLock { if $0.holder == nil { $0.idle = [] } } }
        while let kept = state.withLock({ $0.idle.popLast() }) {
            if kept.isQuiet { return kept }
        }
        return try start()
    }

    private func start() throws(BackupError) -> Conversation {
        let conversation = try program.start()
        _ = try begin(conversation)
        return conversation
    }

    /// It is one of those whose processes are known.
    private func note(_ conversation: Conversation) {
        state.withLock { state in
            state.started.removeAll { $0.conversation == nil || $0.conversation === conversation }
            state.started.append(Weak(conversation: conversation))
        }
    }

    /// Those that have a request, of which nobody else keeps the process.
    func withThoseAtWork(_ body: (Conversation) -> Void) {
        let found = state.withLock { state in
            state.started.compactMap(\.conversation).filter { one in !state.idle.contains { $0 === one } }
        }
        for conversation in found { body(conversation) }
    }

    func breakOff(put key: JSON?, _ bytes: [UInt8], by end: ProgramEnd, within limit: Duration) throws(BackupError) -> Int32? {
        try start().breakOff(put: key, bytes, by: end, within: limit)
    }

    func give(back conversation: Conversation) { state.withLock { $0.idle.append(conversation) } }

    /// Runs one request. A conversation that broke is dropped, with its process.
    func request<Result>(
        _ body: (Conversation) async throws(BackupError) -> Result
    ) async throws(BackupError) -> Result {
        let conversation = try take()
        do throws(BackupError) {
            let result = try await body(conversation)
            give(back: conversation)
            return result
        } catch {
            throw end(conversation, error)
        }
    }

    /// Keeps a conversation in which `error` was only an answer; the error as it is to be thrown.
    func end(_ conversation: Conversation, _ error: BackupError) -> BackupError {
        guard let told = Refusal.of(error) else { return error }
        give(back: conversation)
        return told
    }
}
