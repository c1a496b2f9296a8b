// alarm: a subscriber and publisher of events (chapter 06) in JavaScript for Node 18 or newer, with no package and no
// SDK.
//
// It subscribes to the readings of whoever publishes them, such as python-thermometer, and publishes `alarm.raised`
// when a room gets too warm. Frames, JSON and the conversation are those of its neighbour node-prose. Ids in brackets
// name sentences of the spec.
'use strict';

const { converse, isObject } = require('../node-prose/conversation.js');

const READINGS = 'thermometer.reading.*';
const RAISED = 'alarm.raised';
const WINDOW = 8; // events that may be on the way before we have acknowledged them [EVT-20]

let limit = 30;
let hasEvents = false;
let subscription = null; // its number, once the host has answered
let missed = 0;
const rooms = new Map(); // the last reading of each

function begin({ capabilities, config }) {
  if (isObject(config) && typeof config.limit === 'number') limit = config.limit;
  hasEvents = isObject(capabilities) && capabilities.events === true; // LIF-12
  return {
    plugin: { name: 'alarm', version: '1.0.0' },
    provides: [{ service: 'alarm', version: '1.0.0', methods: ['rooms'] }],
    events: [{ topic: RAISED, description: 'A room is too warm.' }],
  };
}

/** What is known, and how many readings never came. */
const listRooms = () => ({ rooms: Object.fromEntries(rooms), missed });

/** Of each room the last reading will do: hence `coalesce`. */
async function onReady() {
  if (!hasEvents) return;
  try {
    const wanted = { topic: READINGS, policy: 'coalesce', window: WINDOW };
    ({ subscription } = await connection.ask('event/subscribe', wanted));
  } catch (error) {
    console.error(`alarm: there will be no readings: ${error.message}`);
  }
}

// Anybody may publish on any topic, so what comes need not be what was declared.
const isReading = (data) => isObject(data) && typeof data.room === 'string' && typeof data.celsius === 'number';

function takeReading({ data: { room, celsius }, hops = 0 }) {
  rooms.set(room, celsius);
  if (celsius <= limit) return;
  // EVT-08: one hop more, so that a row of events that cause each other has an end.
  connection.notify('event/publish', { topic: RAISED, data: { room, celsius }, hops: hops + 1 });
}

// No event comes before the answer [EVT-11], and none of another subscription, for we have made one.
function onNotification(method, event) {
  if (method !== 'event/deliver' || event.subscription !== subscription || !connection.isReady()) return;
  missed += event.missed ?? 0; // EVT-18
  if (isReading(event.data)) takeReading(event);
  if (event.seq % (WINDOW / 2) === 0 || event.missed) { // EVT-21: it acknowledges all before it, too
    connection.notify('event/ack', { subscription, seq: event.seq });
  }
}

const connection = converse({ name: 'alarm', begin, methods: { 'alarm/rooms': listRooms }, onReady, onNotification });
