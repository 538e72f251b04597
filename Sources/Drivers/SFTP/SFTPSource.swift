// Reading a file: requests for its next pieces are on their way while the first is read.

internal import BackstopCore

struct SFTPSource: ByteSource, ~Copyable {
    private let storage: SFTPStorage
    /// nil after the end.
    private var session: SFTPSession?
    private let shown: String
    private var pieces: Pieces
    /// Bytes of the piece answered last that are still to be taken.
    private var rest = 0
    /// How many pieces are asked for at a time; it grows, so that who reads only the beginning does not get much more.
    private var window = 4

    /// A part of the file that was asked for.
    fileprivate struct Piece {
        var id: UInt32
        var offset: UInt64
        /// Bytes asked for, and how many of them are wanted now that the size is known.
        var asked: Int
        var wanted: Int
    }

    /// An open file and what is asked for of it.
    struct Pieces {
        fileprivate let handle: [UInt8]
        private var list: [Piece] = []
        /// Where the piece after the last one in `list` begins.
        private var next: UInt64
        private var end: UInt64

        /// Opens the file and asks for its beginning and its size at a time.
        init(_ session: SFTPSession, _ path: String, _ shown: String, _ range: Range<UInt64>?) throws(BackupError) {
            handle = try session.open(path, .read).get("open", shown)
            next = range?.lowerBound ?? 0
            end = range?.upperBound ?? .max
            let size = try session.send(.fstat, handle: handle)
            try ask(2, session)
            // A server that does not tell the size tells the end.
            guard case .done(let attributes) = try session.attributes(size), let size = attributes.size else { return }
            end = min(end, size)
            for piece in list where piece.offset >= end { session.forget(piece.id) }
            list = list.filter { $0.offset < end }
            for index in list.indices { list[index].wanted = Int(min(UInt64(list[index].wanted), end - list[index].offset)) }
            next = min(next, max(end, range?.lowerBound ?? 0))
        }

        fileprivate var isEmpty: Bool { list.isEmpty && next >= end }

        /// Asks for more, until `most` pieces are on their way.
        fileprivate mutating func ask(_ most: Int, _ session: SFTPSession) throws(BackupError) {
            while next < end, list.count < most {
                let count = Int(min(UInt64(SFTPSession.chunk), end - next))
                // No file has bytes where offsets cannot be counted.
                guard next <= UInt64(Int64.max) - UInt64(count) else {
                    next = end
                    return
                }
                list.append(Piece(id: try session.sendRead(handle, next, count), offset: next, asked: count, wanted: count))
                next += UInt64(count)
            }
        }

        /// Waits for the first piece and answers how many bytes of it are wanted; 0 at the end of the file.
        fileprivate mutating func receive(_ session: SFTPSession, _ shown: String) throws(BackupError) -> Int {
            guard !list.isEmpty else { return 0 }
            var piece = list.removeFirst()
            switch try session.answer(piece.id) {
            case .data:
                let got = session.dataCount
                guard got > 0, got <= piece.asked else { throw session.broken("answers with \(got) bytes of \(piece.asked)") }
                guard got < piece.wanted else { return piece.wanted }
                // Some servers give less than was asked for: the rest comes before all else.
                piece.offset += UInt64(got)
                piece.wanted -= got
                piece.asked = piece.wanted
                piece.id = try session.sendRead(handle, piece.offset, piece.asked)
                list.insert(piece, at: 0)
                return got
            case .status(let status) where status.code == SFTPStatus.end: return 0
            case .status(let status) where !status.isOK: throw status.error("read", shown)
            default: throw session.unexpected()
            }
        }
    }

    init(_ storage: SFTPStorage, _ session: SFTPSession, _ pieces: Pieces, _ shown: String) {
        self.storage = storage
        self.session = session
        self.pieces = pieces
        self.shown = shown
    }

    deinit { if let session { Self.end(session, pieces.handle, storage) } }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        guard let session else { return false }
        do throws(BackupError) {
            if rest == 0 {
                try pieces.ask(window, session)
                rest = try pieces.receive(session, shown)
                window = min(window + 2, SFTPSession.window)
            }
            if rest > 0 {
                rest -= session.takeData(into: &out, most: rest)
                // So that the answers come while what was taken is worked upon.
                try pieces.ask(window, session)
                try session.flush()
                if rest > 0 || !pieces.isEmpty { return true }
            }
        } catch {
            finish()
            throw error
        }
        finish()
        return false
    }

    private mutating func finish() {
        guard let session else { return }
        self.session = nil
        Self.end(session, pieces.handle, storage)
    }

    private static func end(_ session: SFTPSession, _ handle: [UInt8], _ storage: SFTPStorage) {
        session.close(handle)
        storage.connections.give(back: session)
    }
}
