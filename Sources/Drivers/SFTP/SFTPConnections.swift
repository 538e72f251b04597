// The connections of a storage: one for each request under way, kept for the next one.

internal import BackstopCore
internal import Synchronization

final class SFTPConnections: Sendable {
    private let settings: SFTPSettings
    private let log: Log
    private struct State {
        var idle: [SFTPSession] = []
        /// A server was reached before.
        var wasReached = false
    }
    private let state = Mutex(State())

    typealias Open = @Sendable (SFTPSettings) throws(BackupError) -> any ByteChannel
    private let open: Open

    init(_ settings: SFTPSettings, _ log: Log, open: @escaping Open) {
        self.settings = settings
        self.log = log
        self.open = open
    }

    /// One that nobody else uses. `isKept`: it was used before, so that the server may have ended it meanwhile.
    func take() async throws(BackupError) -> (session: SFTPSession, isKept: Bool) {
        while let kept = state.withLock({ $0.idle.popLast() }) {
            if kept.isAlive { return (kept, true) }
        }
        return (try await connect(), false)
    }

    /// One that broke is closed, and so are those that wait: what ended one of them has likely ended all.
    func give(back session: SFTPSession) {
        let closed = state.withLock { state -> [SFTPSession] in
            if !session.isBroken {
                state.idle.append(session)
                return []
            }
            defer { state.idle = [] }
            return state.idle
        }
        withExtendedLifetime(closed) {}
    }

    /// Runs one request and keeps its connection for whoever asked. A kept connection that turns out to be broken is replaced once; so
    /// `body` must be something that can be done twice.
    func begin<Result>(
        _ body: (SFTPSession) throws(BackupError) -> Result
    ) async throws(BackupError) -> (session: SFTPSession, result: Result) {
        while true {
            let (session, isKept) = try await take()
            do throws(BackupError) {
                return (session, try body(session))
            } catch {
                give(back: session)
                guard session.isBroken, isKept, error.code == .unavailable else { throw error }
                log.detail("\(error.message); another try on a new connection")
            }
        }
    }

    func request<Result>(_ body: (SFTPSession) throws(BackupError) -> Result) async throws(BackupError) -> Result {
        let (session, result) = try await begin(body)
        give(back: session)
        return result
    }

    /// A new connection, without more than one try and although the process is to end: to tidy up.
    func connectOnce(_ patience: Duration) throws(BackupError) -> SFTPSession {
        var settings = settings
        settings.timeout = min(patience, settings.timeout)
        return try SFTPSession(try open(settings), peer: settings.server)
    }

    /// A busy server turns new connections away, and one that restarts refuses them for a moment.
    private func connect() async throws(BackupError) -> SFTPSession {
        var backoff = Backoff(state.withLock { $0.wasReached } ? min(settings.timeout, .seconds(15)) : .zero)
        while true {
            let begin = ContinuousClock.now
            do throws(BackupError) {
                let session = try SFTPSession(try open(settings), peer: settings.server)
                state.withLock { $0.wasReached = true }
                return session
            } catch {
                // A server that refuses answers at once, and may take the next connection. One that let the first try run into its time limit
                // would do the same with a second.
                guard error.code == .unavailable, ContinuousClock.now - begin < .seconds(2), let delay = backoff.next(nil) else {
                    throw error
                }
                log.detail("\(error.message); another try in \(secondsText(delay))")
                try await pause(delay)
            }
        }
    }
}
