// One compression of a segment for all repositories that want it.

import BackstopCore
import Synchronization

/// Made when the first of them asks, so nothing is compressed that no repository wants; the others wait for the same.
final class SharedCompression: Sendable {
    private typealias Outcome = Result<CompressedSegment?, BackupError>

    private let content: SegmentContent
    private let coding: ObjectCoding
    private let most: Int
    private let making = Mutex<Task<Outcome, Never>?>(nil)

    /// `most`: bytes that may be kept.
    init(_ content: SegmentContent, _ coding: ObjectCoding, atMost most: Int) {
        self.content = content
        self.coding = coding
        self.most = most
    }

    /// nil when it is too large to be kept. Throws `.checksum`, for all alike, when the bytes are not those that were summed.
    func segment() async throws(BackupError) -> CompressedSegment? {
        let task = making.withLock { making in
            if let making { return making }
            let task = Task { [content, coding, most] in
                await Outcome { () async throws(BackupError) in try await CompressedSegment(content, coding, atMost: most) }
            }
            making = task
            return task
        }
        return try await task.value.get()
    }
}
