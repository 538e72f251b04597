// A session with a PostgreSQL server through libpq, which is loaded at the first connection (see CPq.h for why).

import BackstopCore
import CPq
import Glibc

/// One session; one query at a time. Calls block the thread, but no longer than the time-out, and end early when the process is
/// asked to end. A backup must be started and stopped in the same session.
final class Connection {
    struct Settings {
        /// The folder of the server's socket; nil: libpq's default.
        var socketPath: String?
        var port = 5432
        /// Nil: the name of the operating system's user.
        var user: String?
        var database = "postgres"
        /// Of the server, as far as its files tell.
        var version: PostgresVersion?
        /// The command that connects, shown in pg_stat_activity.
        var command: String
        /// For connecting, and for each query.
        var timeout: Duration = .seconds(1800)
        /// Throws when nobody waits for the answer any more; asked while the server has not answered.
        var checkWanted: () throws(BackupError) -> Void = { () throws(BackupError) in }
    }

    let settings: Settings
    let version: PostgresVersion
    /// As libpq tells it: 150004.
    let serverNumber: Int
    private let pq: UnsafePointer<backstop_pq>
    /// Nil when the session was given up.
    private var handle: OpaquePointer?

    init(_ settings: Settings) throws(BackupError) {
        var failure: UnsafePointer<CChar>?
        guard let pq = backstop_pq_load(&failure) else {
            throw BackupError(
                .dbConnect, "unable to load PostgreSQL's client library: \(failure.map { String(cString: $0) } ?? "")",
                hint: "install it: apt-get install libpq5 (Debian), dnf install libpq (Red Hat).")
        }
        self.pq = pq
        self.settings = settings

        let environment = getenv("PGOPTIONS").map { String(cString: $0) }
        let handle: OpaquePointer
        do throws(BackupError) {
            handle = try Self.connect(pq, settings, options: SessionSettings(settings.version).startup(after: environment))
        } catch  where SessionSettings.isRefusal(error.message) {
            handle = try Self.connect(pq, settings, options: environment)
        }
        // Until all of `self` is set it has no deinit that would close the session.
        do throws(BackupError) {
            serverNumber = Int(pq.pointee.PQserverVersion(handle))
            version = try PostgresVersion(serverNumber: serverNumber)
        } catch {
            pq.pointee.PQfinish(handle)
            throw error
        }
        self.handle = handle
        try query(SessionSettings(version).statements)
    }

    /// `options`: for the server, as on its command line.
    private static func connect(
        _ pq: UnsafePointer<backstop_pq>, _ settings: Settings, options: String?
    ) throws(BackupError) -> OpaquePointer {
        var parameters = [
            ("port", "\(settings.port)"), ("dbname", settings.database), ("client_encoding", "UTF8"),
            ("application_name", "pgBackstop [\(settings.command)]"),
        ]
        if let options { parameters.append(("options", options)) }
        if let path = settings.socketPath { parameters.append(("host", path)) }
        if let user = settings.user { parameters.append(("user", user)) }
        guard
            let handle = withCStrings(
                parameters.map(\.0),
                { keys in
                    withCStrings(parameters.map(\.1), { values in pq.pointee.PQconnectStartParams(keys, values, 0) })
                })
        else { throw BackupError(.dbConnect, "out of memory") }
        backstop_pq_ignore_notices(pq, handle)
        do throws(BackupError) {
            try finishConnecting(pq, handle, settings)
        } catch {
            pq.pointee.PQfinish(handle)
            throw error
        }
        return handle
    }

    deinit { close() }

    var watch: SessionWatch { SessionWatch(descriptor: handle.map { pq.pointee.PQsocket($0) } ?? -1) }

    /// Ends the session. The server aborts a backup that was not stopped.
    func close() {
        if let handle { pq.pointee.PQfinish(handle) }
        handle = nil
    }

    /// Runs one statement with `parameters` for `$1`, `$2`…, or several statements without parameters.
    /// Returns the rows of the last one, columns as text. Throws `.dbQuery` with the server's message.
    @discardableResult
    func query(_ sql: String, _ parameters: [String?] = []) throws(BackupError) -> [[String?]] {
        guard let handle else { throw failed(sql, "the session was closed after an earlier failure") }
        let sent =
            parameters.isEmpty
            ? pq.pointee.PQsendQuery(handle, sql)
            : withCStrings(parameters) { pq.pointee.PQsendQueryParams(handle, sql, Int32(parameters.count), nil, $0, nil, nil, 0) }
        guard sent == 1 else { throw lost(handle, sql) }

        let deadline = ContinuousClock.now + settings.timeout
        var rows: [[String?]] = []
        var failure: BackupError?
        do throws(BackupError) {
            while let result = try nextResult(handle, sql, deadline) {
                defer { pq.pointee.PQclear(result) }
                switch Int(pq.pointee.PQresultStatus(result)) {
                case BACKSTOP_PQ_TUPLES_OK: rows = read(result)
                case BACKSTOP_PQ_COMMAND_OK, BACKSTOP_PQ_EMPTY_QUERY: rows = []
                default: failure = failure ?? refused(result, sql)
                }
            }
        } catch {
            if pq.pointee.PQstatus(handle) == BACKSTOP_PQ_CONNECTION_OK { abandonQuery(handle) } else { close() }
            throw error
        }
        if let failure {
            if pq.pointee.PQstatus(handle) != BACKSTOP_PQ_CONNECTION_OK { close() }
            throw failure
        }
        return rows
    }

    /// The next result of the running query, nil after the last. Throws when the session breaks or the time is up.
    private func nextResult(
        _ handle: OpaquePointer, _ sql: String, _ deadline: ContinuousClock.Instant
    ) throws(BackupError) -> OpaquePointer? {
        while pq.pointee.PQisBusy(handle) != 0 {
            guard try Self.wait(pq.pointee.PQsocket(handle), POLLIN, until: deadline, settings) else {
                throw failed(
                    sql, "no answer within \(settings.timeout)",
                    hint: "is the server overloaded? A longer time can be set with db-timeout.")
            }
            guard pq.pointee.PQconsumeInput(handle) == 1 else { throw lost(handle, sql) }
        }
        return pq.pointee.PQgetResult(handle)
    }

    /// Cancels the running query, so that the session can be used again; closes it when the server does not react in time.
    private func abandonQuery(_ handle: OpaquePointer) {
        backstop_pq_cancel(pq, handle)
        let deadline = ContinuousClock.now + min(settings.timeout, .seconds(5))
        while true {
            while pq.pointee.PQisBusy(handle) != 0 {
                let left = deadline - ContinuousClock.now
                var descriptor = pollfd(fd: pq.pointee.PQsocket(handle), events: Int16(POLLIN), revents: 0)
                guard left > .zero, poll(&descriptor, 1, milliseconds(left)) >= 0 || errno == EINTR, pq.pointee.PQconsumeInput(handle) == 1
                else { return close() }
            }
            guard let result = pq.pointee.PQgetResult(handle) else { return }
            pq.pointee.PQclear(result)
        }
    }

    private func read(_ result: OpaquePointer) -> [[String?]] {
        let columns = pq.pointee.PQnfields(result)
        return (0..<pq.pointee.PQntuples(result)).map { row in
            (0..<columns).map { column in
                pq.pointee.PQgetisnull(result, row, column) != 0 ? nil : String(cString: pq.pointee.PQgetvalue(result, row, column))
            }
        }
    }

    private static func finishConnecting(
        _ pq: UnsafePointer<backstop_pq>, _ handle: OpaquePointer, _ settings: Settings
    ) throws(BackupError) {
        let deadline = ContinuousClock.now + settings.timeout
        // libpq wants to write first.
        var state = BACKSTOP_PQ_POLLING_WRITING
        while state != BACKSTOP_PQ_POLLING_OK {
            guard state != BACKSTOP_PQ_POLLING_FAILED, pq.pointee.PQsocket(handle) >= 0 else {
                throw unreachable(settings, text(pq.pointee.PQerrorMessage(handle)))
            }
            guard try wait(pq.pointee.PQsocket(handle), state == BACKSTOP_PQ_POLLING_READING ? POLLIN : POLLOUT, until: deadline, settings)
            else {
                throw unreachable(settings, "no answer within \(settings.timeout)")
            }
            state = Int(pq.pointee.PQconnectPoll(handle))
        }
    }

    private static func unreachable(_ settings: Settings, _ message: String) -> BackupError {
        BackupError(
            .dbConnect, "unable to connect to database '\(settings.database)' on port \(settings.port): \(message)",
            hint: "is PostgreSQL running?\n"
                + "do pg1-socket-path and pg1-port agree with the server's unix_socket_directories and port, and may pg1-user log in?")
    }

    /// False when the time is up. Short naps: a signal does not interrupt this thread, so the wish to end must be looked for.
    private static func wait(
        _ descriptor: Int32, _ events: Int32, until deadline: ContinuousClock.Instant, _ settings: Settings
    ) throws(BackupError) -> Bool {
        while true {
            try Cancellation.check()
            try settings.checkWanted()
            let left = deadline - ContinuousClock.now
            if left <= .zero { return false }
            var descriptor = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            if poll(&descriptor, 1, milliseconds(min(left, .milliseconds(200)))) > 0 { return true }
        }
    }

    private func refused(_ result: OpaquePointer, _ sql: String) -> BackupError {
        func field(_ name: Character) -> String? { pq.pointee.PQresultErrorField(result, Int32(name.asciiValue!)).map { text($0) } }
        // Without a primary message libpq made the error itself: the connection broke.
        var message = field("M") ?? text(pq.pointee.PQresultErrorMessage(result))
        if let detail = field("D") { message += " (\(detail))" }
        let state = field("C")
        let hints = [field("H"), state == "42501" ? "is the user given with pg1-user a superuser, or was it granted what it needs?" : nil]
            .compactMap(\.self)
        return failed(sql, message, hint: hints.isEmpty ? nil : hints.joined(separator: "\n"))
    }

    private func lost(_ handle: OpaquePointer, _ sql: String) -> BackupError { failed(sql, text(pq.pointee.PQerrorMessage(handle))) }

    private func failed(_ sql: String, _ message: String, hint: String? = nil) -> BackupError {
        BackupError(.dbQuery, "unable to execute query '\(sql)': \(message)", hint: hint)
    }
}

/// A message of libpq without the line feed at its end.
private func text(_ message: UnsafePointer<CChar>) -> String {
    let text = String(cString: message)
    return String(text.prefix(upTo: text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? text.startIndex))
}

/// Rounded up, so that a wait for it does not end early.
private func milliseconds(_ duration: Duration) -> Int32 {
    Int32(duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000 + 1)
}

/// Lends the texts as an array of C strings, NULL for nil, with a NULL at its end.
private func withCStrings<Result>(_ texts: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result) -> Result {
    let copies = texts.map { $0.map { UnsafePointer(strdup($0)!) } } + [nil]
    defer { for case let copy? in copies { free(UnsafeMutablePointer(mutating: copy)) } }
    return copies.withUnsafeBufferPointer { body($0.baseAddress!) }
}
