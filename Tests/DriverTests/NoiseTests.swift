@testable import BackstopCore
import Testing

/// What came in place of a frame is said as people read it.
@Suite struct NoiseTests {
    @Test(arguments: [
        ("hello", "printed 'hello' where a frame belongs"), ("hi\nR\0\0\0\u{2}{}", "printed 'hi' where a frame belongs"),
        ("\n  Welcome to db1\nno entry", "printed 'Welcome to db1' where a frame belongs"),
        ("Dies ist ein Text", "printed 'Dies ist ein Text' where a frame belongs"), ("Größe 3", "printed 'Größe 3' where a frame belongs"),
        ("D\0\u{10}\0\u{1}", "announced a frame D of 1048577 bytes, the limit is 1048576"),
        ("\u{7f}ELF\u{2}\u{1}", "sent what is no frame (7f 45 4c 46 02)"), ("\0\0\0\0\0", "sent what is no frame (00 00 00 00 00)"),
    ])
    func text(_ came: String, _ said: String) {
        #expect(noiseText(Array(came.utf8)) == said)
    }

    /// JSON for other programs has no bare control characters, which not every reader takes.
    @Test func portable() {
        #expect(
            String(decoding: Channel.portable(Array("{\"k\":\"a\u{1}b\u{1f}\0c\"}".utf8)), as: UTF8.self)
                == #"{"k":"a\u0001b\u001f\u0000c"}"#)
    }
}
