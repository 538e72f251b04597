import BackstopCore
import Testing

@Test func placeholder() {}
