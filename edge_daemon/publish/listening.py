"""What is done about messages from the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_daemon.errors import EdgeError, PublishError
from edge_daemon.publish import homeassistant
from edge_daemon.publish.broker import Outgoing
from edge_daemon.publish.commands import SetRequest, correlation, parse_command, response_topic
from edge_daemon.publish.payloads import OFFLINE, ONLINE, refusal_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.publish.commands import AskRequest, Incoming
    from edge_daemon.publish.delivery import Mail
    from edge_daemon.publish.payloads import Topics
    from edge_daemon.types import CameraId, QuestionId


class Listener:
    """Acts on messages: commands, Home Assistant's birth, an old will of our own.

    What cannot be understood or obeyed is told to on_fault and nothing more.
    """

    def __init__(
        self,
        topics: Topics,
        discovery_prefix: str | None,
        mail: Mail,
        *,
        on_set: Callable[[CameraId, QuestionId, bool], None],
        on_ask: Callable[[AskRequest], None],
        on_fault: Callable[[EdgeError], None],
    ) -> None:
        self.cameras: Sequence[CameraConfig] = ()  # replaced as a whole, by any thread
        self._topics, self._prefix, self._mail = topics, discovery_prefix, mail
        self._on_set, self._on_ask, self._on_fault = on_set, on_ask, on_fault

    @property
    def filters(self) -> list[str]:
        """What to subscribe to."""
        root = self._topics.root
        ours = [f"{root}/+/+/set", f"{root}/+/ask", self._topics.status]
        return ours + ([homeassistant.birth_topic(self._prefix)] if self._prefix else [])

    def receive(self, message: Incoming) -> None:
        """Act on a message."""
        if message.topic == self._topics.status:
            self._mend_status(message)
        elif self._prefix and message.topic == homeassistant.birth_topic(self._prefix):
            self._greet_home_assistant(message, self._prefix)
        else:
            try:
                self._obey(message)
            except EdgeError as fault:
                self._on_fault(fault)

    def _mend_status(self, message: Incoming) -> None:
        """Say the present status again when the will of an older connection came after it."""
        status, retained = self._topics.status, self._mail.retained
        if message.payload == OFFLINE and not message.retained and retained[status] == ONLINE:
            retained.resend([status])

    def _greet_home_assistant(self, message: Incoming, prefix: str) -> None:
        """Send discovery again when Home Assistant has started."""
        if message.payload.strip() == ONLINE and not message.retained:
            device = self._topics.device
            self._mail.retained.resend(
                homeassistant.discovery_topic(prefix, device, camera.id) for camera in self.cameras
            )

    def _obey(self, message: Incoming) -> None:
        """Hand a command on.  Raises EdgeError when it cannot be."""
        if message.retained:
            where, hint = f"mqtt {self._topics.root}", "publish commands without the retain flag"
            raise PublishError("passed over a retained command", where=where, hint=hint)
        if not message.payload and message.topic.endswith("/set"):
            return  # somebody took back a retained command
        try:
            command = parse_command(message, self._topics)
            self._refuse_unknown(command)
        except PublishError as fault:
            if message.topic.endswith("/ask"):
                self._refuse(message, fault)
            raise
        if isinstance(command, SetRequest):
            self._on_set(command.camera, command.question, command.enabled)
        else:
            self._on_ask(command)

    def _refuse_unknown(self, command: SetRequest | AskRequest) -> None:
        cameras = {camera.id: camera for camera in self.cameras}
        camera = cameras.get(command.camera)
        if camera is None:
            hint = f"use one of: {', '.join(cameras) or 'none yet'}"
            raise PublishError("a command for no camera of ours", where="mqtt", hint=hint)
        ids = [question.id for question in camera.questions]
        if isinstance(command, SetRequest) and command.question not in ids:
            what = f"a command for no question of camera {camera.id}"
            raise PublishError(what, where="mqtt", hint=f"use one of: {', '.join(ids)}")

    def _refuse(self, message: Incoming, fault: PublishError) -> None:
        """Tell the asker of a question why there is no answer."""
        refusal = refusal_json(error=fault.what, where=fault.where, hint=fault.hint)
        topic = response_topic(message, self._topics)
        self._mail.answer(Outgoing(topic, refusal, correlation=correlation(message)))
